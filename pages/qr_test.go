package pages_test

import (
	"image/png"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"rsc.io/qr"

	"github.com/linktrackhq/linktrack"
)

func TestTheQRCodeOfALinkIsItsTrackingURL(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "Spring_Sale"})
	code, err := qr.Encode("https://go.example.com/Spring_Sale", qr.M)
	require.NoError(t, err)
	const path = "links/go.example.com/spring_sale/qr."

	r := s.get(path + "png?scale=3")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, "image/png", r.Header.Get("Content-Type"))
	require.Equal(t, "private, max-age=86400", r.Header.Get("Cache-Control"))
	picture, err := png.Decode(strings.NewReader(r.body))
	require.NoError(t, err)
	require.Equal(t, 3*(code.Size+8), picture.Bounds().Dx(), "four modules of nothing at each side")
	for y := -4; y < code.Size+4; y++ {
		for x := -4; x < code.Size+4; x++ {
			red, _, _, _ := picture.At(3*(x+4)+1, 3*(y+4)+1).RGBA()
			require.Equal(t, code.Black(x, y), red == 0, "module %d, %d", x, y)
		}
	}

	r = s.get(path + "svg")
	require.Equal(t, "image/svg+xml", r.Header.Get("Content-Type"))
	size := strconv.Itoa(code.Size + 8)
	require.Contains(t, r.body, `viewBox="0 0 `+size+" "+size+`"`)
	dark := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(r.body, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		width, _ := strconv.Atoi(m[3])
		require.Equal(t, m[3], m[4])
		for i := range width {
			dark[[2]int{x + i - 4, y - 4}] = true
		}
	}
	for y := -4; y < code.Size+4; y++ {
		for x := -4; x < code.Size+4; x++ {
			require.Equal(t, code.Black(x, y), dark[[2]int{x, y}], "module %d, %d", x, y)
		}
	}

	require.Equal(t, `attachment; filename="Spring_Sale.svg"`, s.get(path+"svg?download").Header.Get("Content-Disposition"))
	for query, status := range map[string]int{"png?scale=0": 400, "png?scale=41": 400, "png?scale=x": 400, "png?scale=40": 200, "gif": 404} {
		require.Equal(t, status, s.get(path+query).StatusCode, query)
	}
}

func TestThePublicSeesTheCodesOfPublicLinks(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "shown", LinkSettings: linktrack.LinkSettings{IsPublic: true}})
	s.make(s.ada, linktrack.NewLink{VanityLink: "hidden"})
	s.cookies = map[string]*http.Cookie{}
	require.Equal(t, 200, s.get("links/go.example.com/shown/qr.svg").StatusCode)
	require.Equal(t, 200, s.get("links/go.example.com/shown/qr.png").StatusCode)
	for _, path := range []string{"go.example.com/hidden", "go.example.com/none", "alt.example/shown", "x/shown"} {
		require.Equal(t, 404, s.get("links/"+path+"/qr.svg").StatusCode, path)
	}
}

func TestALinksCodeIsAtItsAddressForItsOwner(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "Hidden"})
	bobs := s.make(s.bob, linktrack.NewLink{})
	dotted := s.make(s.ada, linktrack.NewLink{})
	inPages := s.get("links/go.example.com/hidden/qr.svg").body
	require.Contains(t, inPages, "<svg")
	r := s.get("/hidden.qr")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, inPages, r.body)
	require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "private, max-age=86400", r.Header.Get("Cache-Control"))
	require.Equal(t, "image/png", s.get("/HIDDEN.qr?format=png&scale=2").Header.Get("Content-Type"))
	for _, path := range []string{"/hidden.qr/", "/hidden.qr%20", "/hidden.qr”"} { // with characters that mail programs add
		require.Equal(t, inPages, s.get(path).body, path)
	}
	require.Equal(t, 400, s.get("/hidden.qr?scale=99").StatusCode)
	for _, path := range []string{"/" + bobs.Path + ".qr", "/" + strings.TrimPrefix(dotted.Path, ".") + ".qr", "/none.qr", "/.qr", "/hidden.qr.qr", "/hidden+.qr"} {
		require.Equal(t, 404, s.get(path).StatusCode, path)
	}
	s.cookies = map[string]*http.Cookie{}
	require.Equal(t, 404, s.get("/hidden.qr").StatusCode)
}

func TestAPublicLinksCodeIsAtItsAddress(t *testing.T) {
	s := signedIn(t, "ada")
	s.make(s.ada, linktrack.NewLink{VanityLink: "shown", LinkSettings: linktrack.LinkSettings{IsPublic: true}})
	s.make(s.ada, linktrack.NewLink{VanityLink: "hidden"})
	s.cookies = map[string]*http.Cookie{}
	inPages := s.get("links/go.example.com/shown/qr.svg").body
	for path, contentType := range map[string]string{
		"/shown.qr": "image/svg+xml", "/SHOWN.qr?format=svg": "image/svg+xml", "/shown.qr?format=png&scale=2": "image/png",
	} {
		r := s.get(path)
		require.Equal(t, 200, r.StatusCode, path)
		require.Equal(t, contentType, r.Header.Get("Content-Type"), path)
		if contentType == "image/svg+xml" {
			require.Equal(t, inPages, r.body)
		}
	}
	require.Equal(t, 400, s.get("/shown.qr?scale=99").StatusCode)
	for _, path := range []string{"/hidden.qr", "/none.qr", "/.qr", "/shown.qr.qr", "/shown+.qr"} {
		require.Equal(t, 404, s.get(path).StatusCode, path)
	}
}
