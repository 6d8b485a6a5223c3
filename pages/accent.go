package pages

import (
	"encoding/hex"
	"fmt"
	"math"

	"github.com/linktrackhq/linktrack"
)

// A color is red, green and blue.
type color [3]byte

func parseColor(s string) (color, error) {
	var c color
	if len(s) != 7 || s[0] != '#' {
		return c, badAccent(s)
	}
	if _, err := hex.Decode(c[:], []byte(s[1:])); err != nil {
		return c, badAccent(s)
	}
	return c, nil
}

func badAccent(s string) error {
	return &linktrack.InvalidError{Param: "Accent", Reason: fmt.Sprintf("must be a colour such as #1f5fd0, not %q", s)}
}

func (c color) String() string { return "#" + hex.EncodeToString(c[:]) }

// The backgrounds of style.css, which text must stand out from.
var (
	white = color{255, 255, 255}
	black = color{0, 0, 0}
	light = color{0xf6, 0xf7, 0xf9}
	dark  = color{0x1d, 0x21, 0x28}
)

// brandStyle is the style sheet that applies the accent: as it is under text,
// and for text made darker or lighter until it can be read.
func brandStyle(accent color) string {
	on := white
	if contrast(accent, white) < contrast(accent, black) {
		on = black
	}
	return fmt.Sprintf(":root{--accent:%v;--on-accent:%v;--accent-text:%v}\n@media (prefers-color-scheme:dark){:root{--accent-text:%v}}\n",
		accent, on, readable(accent, light, black), readable(accent, dark, white))
}

// readable moves c towards an end until it stands out from a background as WCAG
// AA asks of text.
func readable(c, background, end color) color {
	for part := 0.0; ; part += 0.05 {
		mixed := mix(c, end, min(part, 1))
		if contrast(mixed, background) >= 4.6 || part >= 1 {
			return mixed
		}
	}
}

func mix(a, b color, part float64) (c color) {
	for i := range c {
		c[i] = byte(math.Round(float64(a[i])*(1-part) + float64(b[i])*part))
	}
	return c
}

// contrast is the ratio of WCAG 2, from 1 to 21.
func contrast(a, b color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color) float64 {
	var sum float64
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := float64(c[i]) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
