package linktrack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// checkPath asks the host whether a path that somebody chose may be a link's.
func (t *Tracker) checkPath(ctx context.Context, l Link) error {
	check := t.opts.Links.CheckPath
	if check == nil || l.Path == "" {
		return nil
	}
	param := "vanity_link"
	if strings.HasPrefix(l.Path, ".") {
		param = "redirect_hash"
	}
	if err := check(ctx, l.Host, t.hosts.of(&l).prefix+"/"+l.Path); err != nil {
		return fmt.Errorf("%w: %s is refused: %w", ErrForbidden, param, err)
	}
	return nil
}

// AvoidRoutes returns a [LinkOptions.CheckPath] that refuses the paths for which
// mux has a route, for a host that passes mux to [Tracker.Middleware]. Routes
// may be added to mux at any time; a link that exists already still comes before
// a new route.
//
//   - Every method counts, because a link answers all of them.
//   - "/" and other routes for whole trees with the Tracker's mount in them do not
//     count: they answer what nothing else does.
//   - "/{page}" counts for every path: no vanity link can be made beside it.
//   - Links are found in any case and routes are not. A route with capital letters
//     is found only by a link that is written like it: put such words into
//     [LinkOptions.Reserved], too.
func AvoidRoutes(mux *http.ServeMux) func(ctx context.Context, host, path string) error {
	return func(_ context.Context, host, path string) error {
		mount, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
		for _, name := range []string{name, strings.ToLower(name)} {
			for _, asked := range []string{name, strings.TrimPrefix(name, ".")} { // visitors may leave out the dot
				for _, suffix := range []string{"", "/", viewSuffix[summaryView], viewSuffix[codeView]} {
					if hasRoute(mux, host, mount, asked+suffix) {
						return fmt.Errorf("%s%s is a path of this site", mount, asked)
					}
				}
			}
		}
		return nil
	}
}

// hasRoute reports whether a mux has a route for the path mount + name that does
// not lead to everything below mount.
func hasRoute(mux *http.ServeMux, host, mount, name string) bool {
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace,
	} {
		_, pattern := mux.Handler(&http.Request{Method: method, Host: host, URL: &url.URL{Path: mount + name}})
		if pattern == "" {
			continue
		}
		route := pattern[max(strings.IndexByte(pattern, '/'), 0):] // a method and a host may stand before it
		if i := strings.LastIndexByte(route, '{'); i >= 0 && strings.HasSuffix(route, "...}") {
			route = route[:i]
		}
		if !strings.HasSuffix(route, "/") || !strings.HasPrefix(mount, route) {
			return true
		}
	}
	return false
}
