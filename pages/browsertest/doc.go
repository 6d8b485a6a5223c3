// Package browsertest holds the tests that look at the pages in a real browser:
// the program of examples/standalone on MySQL, and Debian's chromium before it.
// It is a module of its own, so that linktrack does not depend on what drives
// the browser.
//
// A page that is added to package pages gets a row in the table of views, in
// views_test.go; with it come its pictures in both widths and color schemes,
// the check of its headers and its layout, and that of its accessibility. One
// that shows what strangers write gets a row in hostile_test.go, a form one in
// origins_test.go, and a page of a link one in the table there.
package browsertest
