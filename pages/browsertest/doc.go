// Package browsertest contains the tests of the pages in a real browser. They run
// the program linktrack on MySQL, and Debian's chromium. It is a
// module of its own, so that linktrack does not depend on the packages that control
// the browser.
//
// A new page of package pages needs a row in the table of views in views_test.go.
// Then its headers, its layout, and its accessibility are checked, and pictures are
// taken in both widths and color schemes. A page that shows texts of strangers also
// needs a row in hostile_test.go, a form needs one in origins_test.go, and a page of
// a link needs one in the table there.
package browsertest
