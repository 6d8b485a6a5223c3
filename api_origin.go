package linktrack

import (
	"fmt"
	"net/http"
)

// Browsers remember the login and pass of HTTP Basic and send them along with
// whatever another site makes them ask for. Such a request must make nothing.

var errCrossOrigin = fmt.Errorf("%w: a browser sent this request for another site; use login and pass as parameters instead of HTTP Basic", ErrForbidden)

// checkOrigin refuses a request that another site made a browser send, if it
// may make or change something: with any method but GET, and with GET if makes
// is true. A request without Sec-Fetch-Site and Origin is not from a browser of
// today and passes.
func checkOrigin(r *http.Request, makes bool) error {
	if makes {
		post := *r // the protection lets every GET pass
		post.Method = http.MethodPost
		r = &post
	}
	if new(http.CrossOriginProtection).Check(r) != nil {
		return errCrossOrigin
	}
	return nil
}
