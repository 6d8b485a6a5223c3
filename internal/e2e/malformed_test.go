package e2e

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
	"github.com/linktrackhq/linktrack/internal/trackertest/stores"
)

// An attempt is a request that must be refused, byte for byte as it is written
// to the connection.
type attempt struct {
	name   string
	raw    string
	cut    bool   // the client says that no more comes (it closes its half); else it waits
	status int    // 0: any 4xx
	says   string // a part of the answer's body
}

const answeredBy = "X-Test-Answered-By" // set where the answer is the handler's and not net/http's

// patience is how long one request may take. It is far above the server's own
// ReadTimeout, so a server that exceeds it hangs.
const patience = 30 * time.Second

func TestAThousandMalformedRequestsAreRefusedAndNothingIsStored(t *testing.T) {
	stores.Each(t, func(t *testing.T, newStore func() linktrack.Store) {
		var ours, theirs trackertest.LogBuffer
		s := trackertest.NewService(t, newStore(), linktrack.Options{Logger: slog.New(slog.NewTextHandler(&ours, nil))})
		s.MakeLink("vanity_link", "plain", "has_plus_tracking", "1")
		s.MakeLink("vanity_link", "secret", "password", "letmein")
		server := httptest.NewUnstartedServer(fromManyClients(s))
		server.Config.ReadTimeout = 3 * time.Second // and more for the headers, so that there is an answer
		server.Config.ReadHeaderTimeout = patience
		server.Config.MaxHeaderBytes = 32 << 10
		server.Config.ErrorLog = log.New(&theirs, "", 0)
		server.Start()
		t.Cleanup(server.Close)

		attempts := writtenAttempts()
		attempts = append(attempts, madeUpAttempts(1000-len(attempts))...)
		require.Len(t, attempts, 1000)
		var group sync.WaitGroup
		places := make(chan struct{}, 32)
		// Who waits for five seconds to have a password looked at is told to come
		// again, which is not what is to be tested.
		hashes := make(chan struct{}, 1)
		for _, a := range attempts {
			places <- struct{}{}
			group.Go(func() {
				defer func() { <-places }()
				if strings.Contains(a.raw, "/secret") {
					hashes <- struct{}{}
					defer func() { <-hashes }()
				}
				if err := a.send(server.Listener.Addr().String()); err != nil {
					t.Errorf("%s: %v\n%.300q", a.name, err, a.raw)
				}
			})
		}
		group.Wait()

		require.Equal(t, []string{"secret", "plain"}, s.Hashes(), "no link was made")
		for _, path := range s.Hashes() {
			require.EqualValues(t, 0, s.Link(path)["count_total"])
			require.EqualValues(t, 0, s.Link(path)["count_bot"])
		}
		require.NotContains(t, theirs.String(), "panic")
		require.NotContains(t, ours.String(), "level=ERROR")
		require.NotContains(t, ours.String()+theirs.String(), trackertest.Pass)
		require.Equal(t, 302, s.Get("/plain").StatusCode, "and the service goes on")
	})
}

// fromManyClients lets each request come from an address of its own: else the
// throttle would answer in place of what is to be tested.
func fromManyClients(s *trackertest.Service) http.Handler {
	var n atomic.Uint32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1234", i>>16, i>>8&255, i&255)
		w.Header().Set(answeredBy, "handler")
		s.Handler.ServeHTTP(w, r)
	})
}

// send makes the attempt and says what is wrong with the answer.
func (a attempt) send(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	conn := c.(*net.TCPConn)
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		io.WriteString(conn, a.raw) // fails where the server has refused before the end
		if a.cut {
			conn.CloseWrite()
		}
	}()
	defer func() { <-written }()
	method, _, _ := strings.Cut(a.raw, " ")
	answers := bufio.NewReader(conn)
	for {
		r, err := http.ReadResponse(answers, &http.Request{Method: method})
		if err != nil {
			return fmt.Errorf("no answer: %w", err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return fmt.Errorf("half an answer: %w", err)
		}
		if r.StatusCode != http.StatusContinue {
			conn.Close() // so that nothing more is written, if it is not all read
			return a.check(r, string(body), method)
		}
	}
}

var (
	oneLine     = regexp.MustCompile(`^Error: [^\r\n]{5,250}\n?$`)
	serversLine = regexp.MustCompile(`^4\d\d [^\r\n]{5,250}$`)
)

func (a attempt) check(r *http.Response, body, method string) error {
	switch {
	case r.StatusCode < 400 || r.StatusCode > 499:
		return fmt.Errorf("status %d: %.200q", r.StatusCode, body)
	case a.status != 0 && r.StatusCode != a.status:
		return fmt.Errorf("status %d, not %d: %.200q", r.StatusCode, a.status, body)
	case strings.HasPrefix(strings.ToLower(strings.TrimSpace(body)), "http"):
		return fmt.Errorf("the body begins with http: %.200q", body)
	case !strings.Contains(body, a.says):
		return fmt.Errorf("the body lacks %q: %.200q", a.says, body)
	case method == http.MethodHead:
		return nil
	case r.Header.Get(answeredBy) == "":
		if !serversLine.MatchString(body) && r.StatusCode != http.StatusExpectationFailed { // which says it all
			return fmt.Errorf("the server does not say what is wrong: %.200q", body)
		}
		return nil
	}
	var document struct {
		Code    int    `xml:"code"`
		Message string `xml:"message"`
	}
	switch mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mediaType {
	case "text/plain":
		if !oneLine.MatchString(body) {
			return fmt.Errorf("the body is not one clear line: %.300q", body)
		}
		return nil
	case "text/html":
		if !strings.Contains(body, "<h1") {
			return fmt.Errorf("the page has no heading: %.200q", body)
		}
		return nil
	case "application/xml":
		if err := xml.Unmarshal([]byte(body), &document); err != nil {
			return fmt.Errorf("%w: %.200q", err, body)
		}
	case "application/json":
		var outer struct{ Error any }
		outer.Error = &document
		if err := json.Unmarshal([]byte(body), &outer); err != nil {
			return fmt.Errorf("%w: %.200q", err, body)
		}
	default:
		return fmt.Errorf("the content type is %q", mediaType)
	}
	if document.Code != r.StatusCode || !oneLine.MatchString("Error: "+document.Message) {
		return fmt.Errorf("the error does not say what is wrong: %.200q", body)
	}
	return nil
}
