package program

import (
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/linktrackhq/linktrack/internal/testprogram"
)

// programFolder is the folder of the program that the tests build.
const programFolder = "../../cmd/linktrack"

func TestServesAPastedCurlLineUntilSIGTERM(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	for name, tt := range map[string]struct {
		env, args []string
		pass      string // the given pass, which is never printed
	}{
		"as it is":                       {},
		"with a pass that needs quoting": {args: []string{"-login", "me & you", "-pass", `a'b"c$d&e=f g+h%41;#?`}, pass: `a'b"c$d&e=f g+h%41;#?`},
		"for a free account":             {args: []string{"-type", "free"}},
		"set by the environment":         {env: []string{"LINKTRACK_LOGIN=envy", "LINKTRACK_PASS=0123456789abcdef"}, pass: "0123456789abcdef"},
		"behind another name and a path": {args: []string{"-base-url", "https://go.example.com/l", "-hosts", "a.example, b.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, bin, tt.env, append(tt.args, "-addr", "127.0.0.1:0")...)
			line := p.Line(t, "  curl ")
			if out := p.Stdout() + p.Stderr(); tt.pass != "" && (strings.Contains(out, tt.pass) || strings.Contains(out, url.QueryEscape(tt.pass))) {
				t.Errorf("a pass that was given is shown:\n%s", out)
			}
			if tt.pass != "" {
				line = strings.Replace(line, "pass=PASS", "pass="+url.QueryEscape(tt.pass), 1)
			}
			link := curl(t, line)
			click(t, line, link)
			if n := countTotal(t, line, link); n != 1 {
				t.Errorf("count_total after one click = %d", n)
			}
			if status := p.Stop(t); status != 0 {
				t.Errorf("exit status after SIGTERM = %d", status)
			}
			if strings.Contains(p.Stderr(), credentials(t, line).Get("pass")) {
				t.Errorf("the pass is in the log:\n%s", p.Stderr())
			}
		})
	}
}

func TestAFlagWinsOverTheEnvironment(t *testing.T) {
	bin := testprogram.Build(t, programFolder)
	p := start(t, bin, []string{"LINKTRACK_LOGIN=envy", "LINKTRACK_ADDR=nonsense"}, "-addr", "127.0.0.1:0", "-login", "flag")
	if got := credentials(t, p.Line(t, "  curl ")).Get("login"); got != "flag" {
		t.Errorf("login = %q", got)
	}
	if status := p.Stop(t); status != 0 {
		t.Errorf("exit status = %d", status)
	}
}

func TestSaysInOneSentenceWhyItCanNotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bin := testprogram.Build(t, programFolder)
	const free = "127.0.0.1:0"
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string // a regular expression
	}{
		"an unknown flag":      {[]string{"-port", "80"}, 2, "not defined: -port"},
		"an argument":          {[]string{"serve", "here"}, 2, `takes only flags, not "here"`},
		"an unknown type":      {[]string{"-type", "gold"}, 2, `-type must be free or professional, not "gold"`},
		"an address without":   {[]string{"-addr", "8080"}, 2, `-addr must be host:port or :port, not "8080"`},
		"a base URL without":   {[]string{"-addr", free, "-base-url", "go.example.com"}, 2, `BaseURL must be an absolute http or https URL`},
		"a host that is none":  {[]string{"-addr", free, "-hosts", "a b"}, 2, `Hosts has "a b"`},
		"a DSN that is none":   {[]string{"-addr", free, "-mysql", "me:hush@localhost"}, 2, "-mysql must be a DSN"},
		"a port that is taken": {[]string{"-addr", taken.Addr().String()}, 1, "can't listen on 127.0.0.1:[0-9]+: address already in use"},
		"a database that is down": {[]string{"-addr", free, "-mysql", "me:hush@tcp(127.0.0.1:1)/links"}, 1,
			"127.0.0.1:1: .*connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, bin, nil, tt.args...)
			if status := p.Wait(t); status != tt.status {
				t.Errorf("exit status = %d, want %d", status, tt.status)
			}
			last := lastLine(p.Stderr())
			if !regexp.MustCompile("^linktrack: .*" + tt.want).MatchString(last) {
				t.Errorf("the last line is %q, want %q in it", last, tt.want)
			}
			if out := p.Stdout() + p.Stderr(); strings.Contains(out, "hush") || strings.Count(out, "\n") > 1 {
				t.Errorf("more than one sentence, or a password:\n%s", out)
			}
		})
	}
}

func TestHelpListsTheFlags(t *testing.T) {
	p := start(t, testprogram.Build(t, programFolder), nil, "-h")
	if status := p.Wait(t); status != 0 || !strings.Contains(p.Stdout(), "-base-url") {
		t.Errorf("exit status %d, output:\n%s", status, p.Stdout())
	}
}

// curl runs the printed command, whose text after "curl " is line, and returns the
// tracking link that it prints.
func curl(t *testing.T, line string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		address, host := request(t, line)
		return get(t, address, host, http.StatusCreated)
	}
	out, err := exec.Command("sh", "-c", "curl -sS --fail-with-body "+line).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "http") || strings.ContainsAny(string(out), " \n") {
		t.Fatalf("curl %s: %v\n%s", line, err, out)
	}
	return string(out)
}

// click follows the link, at the address that the program listens on.
func click(t *testing.T, line, link string) {
	t.Helper()
	address, host := request(t, line)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" && u.Host != host {
		t.Errorf("the link %s is not on the host %s", link, host)
	}
	local, _ := url.Parse(address)
	u.Scheme, u.Host = local.Scheme, local.Host
	if location := get(t, u.String(), host, http.StatusFound); location != "https://example.com/" {
		t.Errorf("the link leads to %q", location)
	}
}

func countTotal(t *testing.T, line, link string) int {
	t.Helper()
	address, _ := request(t, line)
	u, _ := url.Parse(address)
	u.Path = strings.Replace(u.Path, "makeLink", "getLink", 1)
	q := credentials(t, line)
	q.Set("redirect_hash", link)
	q.Set("format", "json")
	u.RawQuery = q.Encode()
	return testprogram.CountTotal(t, u.String())
}

// request parses the printed command.
func request(t *testing.T, line string) (address, host string) {
	t.Helper()
	m := regexp.MustCompile(`^(?:-H 'Host: ([^']+)' )?'([^']+)'$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("not the curl line expected: %s", line)
	}
	return m[2], m[1]
}

func credentials(t *testing.T, line string) url.Values {
	t.Helper()
	address, _ := request(t, line)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	return url.Values{"login": q["login"], "pass": q["pass"]}
}

// get returns the Location of the answer, or its body if it has none.
func get(t *testing.T, address, host string, want int) string {
	t.Helper()
	status, location, body := testprogram.GetHost(t, address, host)
	if status != want {
		t.Fatalf("GET %s (host %q) = %d %q, want %d", address, host, status, body, want)
	}
	if location != "" {
		return location
	}
	return body
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}
