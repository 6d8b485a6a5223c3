package linktrack

import (
	"fmt"
	"net/http"
)

// Browsers remember the login and pass of HTTP Basic and also send them with requests that
// another site causes. Such a request must not make or change anything.

var errCrossOrigin = fmt.Errorf("%w: a browser sent this request for another site; use login and pass as parameters instead of HTTP Basic", ErrForbidden)

// checkOrigin refuses a request that another site made a browser send, if the request may
// make or change something: with any method but GET, and with GET if makes is true. A
// request without Sec-Fetch-Site and Origin passes, because current browsers send them.
func checkOrigin(r *http.Request, makes bool) error {
	if makes {
		post := *r // CrossOriginProtection lets every GET pass
		post.Method = http.MethodPost
		r = &post
	}
	if new(http.CrossOriginProtection).Check(r) != nil {
		return errCrossOrigin
	}
	return nil
}
