package trackertest

import (
	"context"
	"fmt"
	"image/gif"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
)

// Open opens a Tracker, which is closed when the test ends, and returns its log.
func Open(t *testing.T, store linktrack.Store, o linktrack.Options) (*linktrack.Tracker, *LogBuffer) {
	t.Helper()
	log := new(LogBuffer)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	tracker, err := linktrack.New(store, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tracker.Close(context.Background()) })
	return tracker, log
}

// The credentials of a [Service]'s account.
const (
	Login = "0123456789abcdef012345678"
	Pass  = "0123456789abcde"
)

// Destination is where the links of [Service.MakeAnonymousLink] lead.
const Destination = "https://example.com/quick"

// A Service is a Tracker with one professional account, and its handler.
type Service struct {
	*testing.T
	Tracker *linktrack.Tracker
	Store   linktrack.Store
	Account linktrack.Account // its credentials are Login and Pass
	Handler http.Handler
}

// NewService makes a Service, whose Tracker is closed when the test ends. Its
// links are on http://[Host] if o has no BaseURL.
func NewService(t *testing.T, store linktrack.Store, o linktrack.Options) *Service {
	t.Helper()
	if o.BaseURL == "" {
		o.BaseURL = "http://" + Host
	}
	tracker, err := linktrack.New(store, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tracker.Close(context.Background())) })
	account, _, err := tracker.CreateAccount(t.Context(), linktrack.NewAccount{Login: Login, Pass: Pass, Type: linktrack.AccountTypeProfessional})
	require.NoError(t, err)
	return &Service{T: t, Tracker: tracker, Store: store, Account: account, Handler: tracker.Handler()}
}

// Do sends a request to the handler.
func (s *Service) Do(r *http.Request) *http.Response {
	s.Helper()
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	return w.Result()
}

// Get gets a target, which is as in [Request].
func (s *Service) Get(target string, header ...string) *http.Response {
	s.Helper()
	return s.Do(Request(http.MethodGet, target, "", header...))
}

// Post posts a form.
func (s *Service) Post(target string, form url.Values, header ...string) *http.Response {
	s.Helper()
	return s.Do(Request(http.MethodPost, target, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...))
}

// Call posts a call of the API with the credentials of the account, which it adds to
// form. nil is an empty form.
func (s *Service) Call(name string, form url.Values) *http.Response {
	s.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("login", Login)
	form.Set("pass", Pass)
	return s.Post("/api/v1_0/"+name, form)
}

// Link returns a link as getLink answers it.
func (s *Service) Link(hash string) map[string]any {
	s.Helper()
	r := s.Call("getLink", Values("redirect_hash", hash, "format", "json"))
	var document struct{ Link map[string]any }
	Decode(s.T, r, &document)
	require.Equal(s.T, http.StatusOK, r.StatusCode)
	return document.Link
}

// History returns what getLinkHistory answers.
func (s *Service) History(hash string, pairs ...string) []map[string]any {
	s.Helper()
	r := s.Call("getLinkHistory", Values(append([]string{"redirect_hash", hash, "format", "json"}, pairs...)...))
	var document struct{ History []map[string]any }
	Decode(s.T, r, &document)
	require.Equal(s.T, http.StatusOK, r.StatusCode)
	return document.History
}

// Hashes returns the hashes of the links that getLinks answers, in their order.
func (s *Service) Hashes(pairs ...string) []string {
	s.Helper()
	r := s.Call("getLinks", Values(append([]string{"format", "json"}, pairs...)...))
	var document struct{ Links []map[string]any }
	Decode(s.T, r, &document)
	require.Equal(s.T, http.StatusOK, r.StatusCode)
	hashes := []string{}
	for _, l := range document.Links {
		hashes = append(hashes, l["redirect_hash"].(string))
	}
	return hashes
}

// MakeLink makes a link by the API and returns its URL. pairs are parameters; they
// need no destination.
func (s *Service) MakeLink(pairs ...string) string {
	s.Helper()
	r := s.Call("makeLink", Values(append([]string{"external_url", "https://example.com/page"}, pairs...)...))
	body := Text(s.T, r)
	require.Equal(s.T, http.StatusCreated, r.StatusCode, body)
	return body
}

// MakeConvertibleLink makes a link with conversion tracking as MakeLink does.
func (s *Service) MakeConvertibleLink(pairs ...string) string {
	s.Helper()
	return s.MakeLink(append([]string{"has_conversion_tracking", "1"}, pairs...)...)
}

// AddLink makes a link without the API; n needs no destination.
func (s *Service) AddLink(n linktrack.NewLink) linktrack.Link {
	s.Helper()
	if n.ExternalURL == "" {
		n.ExternalURL = "https://example.com/page"
	}
	l, err := s.Tracker.MakeLink(s.Context(), s.Account, n)
	require.NoError(s.T, err)
	return l
}

// MakeAnonymousLink makes a link without an account, to [Destination], and returns
// what it is claimed with.
func (s *Service) MakeAnonymousLink(client string) (linktrack.Link, string) {
	s.Helper()
	l, claim, err := s.Tracker.MakeAnonymousLink(s.Context(), client, Destination)
	require.NoError(s.T, err)
	return l, claim
}

// Record brings clicks to the store as the Tracker does.
func (s *Service) Record(clicks ...linktrack.Click) {
	s.Helper()
	var source linktrack.Source
	id := linktrack.NewClickID(time.Now())
	copy(source[:], id[:])
	require.NoError(s.T, s.Store.AppendClicks(s.Context(), linktrack.Batch{Source: source, Seq: 1, Clicks: clicks}))
	_, err := s.Store.ApplyClicks(s.Context(), Chicago(s.T), time.Time{})
	require.NoError(s.T, err)
}

// Click follows a link and returns the cookie with the click: name=value.
func (s *Service) Click(link string) string {
	s.Helper()
	r := s.Get(link)
	require.Equal(s.T, http.StatusFound, r.StatusCode)
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, "linktrack_click") {
			return c.Name + "=" + c.Value
		}
	}
	s.Fatal("no click in a cookie")
	return ""
}

// GetPixel gets c.gif, which reports a conversion, and expects the image.
func (s *Service) GetPixel(query string, header ...string) {
	s.Helper()
	r := s.Get("/c.gif?"+query, header...)
	require.Equal(s.T, http.StatusOK, r.StatusCode)
	require.Equal(s.T, "image/gif", r.Header.Get("Content-Type"))
	require.Equal(s.T, "private, no-store", r.Header.Get("Cache-Control"))
	require.Equal(s.T, "cross-origin", r.Header.Get("Cross-Origin-Resource-Policy"))
	require.Empty(s.T, r.Cookies())
	image, err := gif.Decode(strings.NewReader(Text(s.T, r)))
	require.NoError(s.T, err)
	require.Equal(s.T, "1x1", fmt.Sprintf("%dx%d", image.Bounds().Dx(), image.Bounds().Dy()))
	_, _, _, alpha := image.At(0, 0).RGBA()
	require.Zero(s.T, alpha, "it is transparent")
}

// Converted returns the count_conversion of a link.
func (s *Service) Converted(link string) int {
	s.Helper()
	return int(s.Link(link)["count_conversion"].(float64))
}
