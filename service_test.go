package linktrack_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/memstore"
)

const (
	login = "0123456789abcdef012345678"
	pass  = "0123456789abcde"
)

// A service is a Tracker with one professional account, and its handler.
type service struct {
	t       *testing.T
	tracker *linktrack.Tracker
	store   linktrack.Store
	account linktrack.Account
	handler http.Handler
}

func newService(t *testing.T, store linktrack.Store, o linktrack.Options) *service {
	t.Helper()
	if o.BaseURL == "" {
		o.BaseURL = "http://go.example.com"
	}
	tracker, err := linktrack.New(store, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tracker.Close(context.Background())) })
	account, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: login, Pass: pass, Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	return &service{t: t, tracker: tracker, store: store, account: account, handler: tracker.Handler()}
}

// onEachStore runs a test on memory and on MySQL.
func onEachStore(t *testing.T, test func(t *testing.T, store linktrack.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memstore.New()) })
	t.Run("mysql", func(t *testing.T) { test(t, newMySQL(t)) })
}

// do sends a request. The body is posted as a form if it is not empty.
func (s *service) do(r *http.Request) *http.Response {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result()
}

func (s *service) get(target string, header ...string) *http.Response {
	s.t.Helper()
	return s.do(request(http.MethodGet, target, "", header...))
}

func (s *service) post(target string, form url.Values, header ...string) *http.Response {
	s.t.Helper()
	return s.do(request(http.MethodPost, target, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...))
}

// request makes one; target may have a host, header is names and values.
func request(method, target, body string, header ...string) *http.Request {
	if strings.HasPrefix(target, "/") {
		target = "http://go.example.com" + target
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// call makes an API call with the account's credentials.
func (s *service) call(name string, form url.Values) *http.Response {
	s.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("login", login)
	form.Set("pass", pass)
	return s.post("/api/v1_0/"+name, form)
}

// makeLink makes a link by the API and returns its URL.
func (s *service) makeLink(pairs ...string) string {
	s.t.Helper()
	r := s.call("makeLink", values(append([]string{"external_url", "https://example.com/page"}, pairs...)...))
	body := text(s.t, r)
	require.Equal(s.t, http.StatusCreated, r.StatusCode, body)
	return body
}

// values makes form values of names and values; the last of a name counts.
func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

// field returns a field of a link's JSON as the API answers it.
func (s *service) link(hash string) map[string]any {
	s.t.Helper()
	r := s.call("getLink", values("redirect_hash", hash, "format", "json"))
	var document struct{ Link map[string]any }
	decode(s.t, r, &document)
	require.Equal(s.t, http.StatusOK, r.StatusCode)
	return document.Link
}

func (s *service) history(hash string, pairs ...string) []map[string]any {
	s.t.Helper()
	r := s.call("getLinkHistory", values(append([]string{"redirect_hash", hash, "format", "json"}, pairs...)...))
	var document struct{ History []map[string]any }
	decode(s.t, r, &document)
	require.Equal(s.t, http.StatusOK, r.StatusCode)
	return document.History
}

func (s *service) hashes(pairs ...string) []string {
	s.t.Helper()
	r := s.call("getLinks", values(append([]string{"format", "json"}, pairs...)...))
	var document struct{ Links []map[string]any }
	decode(s.t, r, &document)
	require.Equal(s.t, http.StatusOK, r.StatusCode)
	hashes := []string{}
	for _, l := range document.Links {
		hashes = append(hashes, l["redirect_hash"].(string))
	}
	return hashes
}
