package browsertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack/internal/testtool"
)

// timeout limits the time of each step of the browser that a test waits for.
const timeout = 30 * time.Second

// person is the user agent of a person. Chromium's own names HeadlessChrome, which
// is a bot.
const person = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// All tests share one browser. The first test that needs it starts it, and it ends
// after the last test.
var browser struct {
	sync.Mutex
	ctx  context.Context
	stop func()
}

func TestMain(m *testing.M) {
	status := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
	os.Exit(status)
}

// running returns the browser's context.
func running(t testing.TB) context.Context {
	t.Helper()
	path := testtool.Chromium(t)
	browser.Lock()
	defer browser.Unlock()
	if browser.ctx != nil {
		return browser.ctx
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserAgent(person), chromedp.Flag("lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP alt.example 127.0.0.1"))
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(ctx)
	browser.stop = func() {
		stop()
		stopAllocator()
	}
	require.NoError(t, chromedp.Do(ctx), "start the browser")
	browser.ctx = ctx
	return ctx
}

// A tab is the window of one person, with its own cookies. It ends with its test.
type tab struct {
	*testing.T
	site *site
	ctx  context.Context

	mu       sync.Mutex
	problems []string // dialogs, and errors in the console
	at       string   // address of the document that was asked for last
}

// newTab opens a window that is not signed in.
func (s *site) newTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(running(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{T: t, site: s, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	b.setMode(modes[0])
	return b
}

// signedIn opens a window and signs in.
func (s *site) signedIn(t *testing.T, login string) *tab {
	t.Helper()
	b := s.newTab(t)
	b.signIn(login, pass)
	require.Equal(t, s.pages+"links", b.open("links").url, "%s is signed in", login)
	return b
}

func (b *tab) signIn(login, pass string) *document {
	b.Helper()
	b.open("login")
	b.fill("login", login)
	b.fill("pass", pass)
	return b.press("main button")
}

// listen collects the errors that no page may cause.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			b.at = e.Request.URL
		}
	case *page.EventJavascriptDialogOpening:
		b.problems = append(b.problems, "dialog: "+e.Message)
		go chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.problems = append(b.problems, fmt.Sprintf("console.error: %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		// That the document itself was answered 404 is reported here, too.
		if e.Entry.Source == log.EntrySourceNetwork && e.Entry.URL == b.at {
			return
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
			b.problems = append(b.problems, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	}
}

// quiet fails if a dialog was opened, a script failed, or the browser enforced a
// policy.
func (b *tab) quiet() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b, b.problems, "at %s", b.at)
}

// do runs steps that do not lead to another page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	require.NoError(b, chromedp.Do(ctx, steps...))
}

// call is a command of the browser's.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	require.NoError(b, err)
	return result
}

// eval returns the value of an expression or of a promise on the page.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b, err, "%.200s", expression)
	return value
}

// A document is the answer to a navigation of the browser.
type document struct {
	url    string // behind redirects
	status int
	header http.Header
}

// lead runs steps that lead to another page, and waits until that is loaded.
func (b *tab) lead(steps ...chromedp.Action[chromedp.Void]) *document {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, steps...)
	require.NoError(b, err)
	d := &document{url: r.URL, status: int(r.Status), header: http.Header{}}
	for name, value := range r.Headers {
		d.header.Set(name, fmt.Sprint(value))
	}
	return d
}

// open goes to a page below the prefix of the pages, to a path of the site that
// begins with a slash, or to a whole address.
func (b *tab) open(path string) *document {
	b.Helper()
	return b.lead(chromedp.Navigate(b.site.at(path)))
}

// back uses the browser's back button. It does not wait, because a page from the
// browser's memory is not loaded again.
func (b *tab) back() {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout/2)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.NavigateBack()); err != nil {
		require.ErrorIs(b, err, context.DeadlineExceeded)
	}
}

// press clicks an element that leads to another page.
func (b *tab) press(selector string) *document {
	b.Helper()
	return b.lead(chromedp.Click(chromedp.CSS(selector)))
}

// click clicks an element that does not lead to another page.
func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill sets the value of a form's field; a box gets "1" or "".
func (b *tab) fill(name, value string) {
	b.Helper()
	switch kind := eval[string](b, fmt.Sprintf(`(e => {
		if (["checkbox", "date", "datetime-local", "select-one"].includes(e.type)) return e.type;
		e.focus(); e.select(); return "text";
	})(%s)`, field(name))); kind {
	case "checkbox":
		if eval[bool](b, field(name)+".checked") != (value == "1") {
			b.click(`[name="` + name + `"]`)
		}
	case "text":
		if value == "" {
			b.do(chromedp.KeyEvent(kb.Delete))
			return
		}
		call(b, input.InsertText, input.InsertTextParams{Text: value})
	default: // its keyboard input depends on the browser's language
		eval[chromedp.Void](b, fmt.Sprintf(`%s.value = %q`, field(name), value))
	}
}

func field(name string) string { return `document.querySelector("main [name='` + name + `']")` }

// value returns the value of a form's field; for a box, "1" or "".
func (b *tab) value(name string) string {
	b.Helper()
	return eval[string](b, fmt.Sprintf(`(e => e.type != "checkbox" ? e.value : e.checked ? "1" : "")(%s)`, field(name)))
}

// text returns the visible texts of the elements of a selector, one per line; "" if
// there are none.
func (b *tab) text(selector string) string {
	b.Helper()
	return eval[string](b, fmt.Sprintf(`Array.from(document.querySelectorAll(%q), e => e.innerText.trim()).join("\n")`, selector))
}

// count returns the number of elements of a selector.
func (b *tab) count(selector string) int {
	b.Helper()
	return eval[int](b, fmt.Sprintf(`document.querySelectorAll(%q).length`, selector))
}

// get downloads a file of the site.
func (b *tab) get(path string) (status int, body []byte) {
	b.Helper()
	r, err := http.NewRequest("GET", b.site.at(path), nil)
	require.NoError(b, err)
	for _, c := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{r.URL.String()}}).Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b, err)
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	require.NoError(b, err)
	return res.StatusCode, body
}

// keep saves a picture in a folder that git ignores.
func (b *tab) keep(png []byte, names ...string) {
	b.Helper()
	path := filepath.Join(append([]string{"screenshots"}, names...)...)
	require.NoError(b, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(b, os.WriteFile(path, png, 0o644))
}
