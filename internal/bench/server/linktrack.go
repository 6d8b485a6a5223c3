package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Linktrack is the program, with an account of its own.
type Linktrack struct {
	*Server
}

const (
	login = "bench"
	pass  = "0123456789abcdef0123456789abcdef"
)

// Program is the package of the program.
const Program = "cmd/linktrack"

// StartLinktrack runs the program's binary with further flags. It keeps links in memory
// unless they name a database.
func StartLinktrack(ctx context.Context, bin string, flags ...string) (Linktrack, error) {
	if !slices.Contains(flags, "-mysql") && !slices.Contains(flags, "-db") {
		flags = append([]string{"-db", "memory"}, flags...)
	}
	s, err := Start(ctx, bin, append([]string{"-addr", "127.0.0.1:0", "-login", login, "-pass", pass}, flags...)...)
	return Linktrack{s}, err
}

// MakeLinks makes links with the paths /0, /1 and so on.
func (l Linktrack) MakeLinks(ctx context.Context, n int, destination string) error {
	for i := range n {
		status, body, err := l.call(ctx, "makeLink", url.Values{"external_url": {destination}, "vanity_link": {strconv.Itoa(i)}})
		if err == nil && status != http.StatusCreated {
			err = fmt.Errorf("makeLink was answered %d %s", status, body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// MakeProtected makes a link with a path and a password.
func (l Linktrack) MakeProtected(ctx context.Context, path string) error {
	status, body, err := l.call(ctx, "makeLink", url.Values{"external_url": {"https://example.com/"}, "vanity_link": {path}, "password": {pass}})
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("makeLink was answered %d %s", status, body)
	}
	return err
}

// Counted is the sum of count_total over the account's links, a thousand at
// most, as the API tells it.
func (l Linktrack) Counted(ctx context.Context) (sum int64, err error) {
	status, body, err := l.call(ctx, "getLinks", url.Values{"limit": {"1000"}, "format": {"json"}})
	if err != nil {
		return 0, err
	}
	var answer struct {
		Links []struct {
			CountTotal int64 `json:"count_total"`
		} `json:"links"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("getLinks was answered %d %.200s", status, body)
	}
	for _, l := range answer.Links {
		sum += l.CountTotal
	}
	return sum, nil
}

// call calls the API as a program does, in the body of a POST.
func (l Linktrack) call(ctx context.Context, name string, params url.Values) (status int, body []byte, err error) {
	params.Set("login", login)
	params.Set("pass", pass)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.Addr+"/api/v1_0/"+name, strings.NewReader(params.Encode()))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}
