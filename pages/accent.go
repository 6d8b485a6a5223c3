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
	return &linktrack.InvalidError{Param: "Accent", Reason: fmt.Sprintf("must be a color such as #1f5fd0, not %q", s)}
}

func (c color) String() string { return "#" + hex.EncodeToString(c[:]) }

// The backgrounds of style.css, which text must stand out from.
var (
	white = color{255, 255, 255}
	black = color{0, 0, 0}
	light = color{0xf6, 0xf7, 0xf9}
	dark  = color{0x1d, 0x21, 0x28}
)

// What WCAG AA asks of text, and of shapes that say something. A little more is
// taken: colors are rounded.
const (
	textContrast  = 4.6
	shapeContrast = 3.1
)

// brandStyle is the style sheet that applies the accent: as it is under text,
// and where it is text or a shape made darker or lighter until it stands out.
// That depends on the scheme of the browser.
func brandStyle(accent color) string {
	on := white
	if contrast(accent, white) < contrast(accent, black) {
		on = black
	}
	return fmt.Sprintf(":root{--accent:%v;--on-accent:%v;%s}\n@media (prefers-color-scheme:dark){:root{%s}}\n",
		accent, on, shades(accent, light, black), shades(accent, dark, white))
}

// shades returns the colors of one scheme, light or dark. end is the color that
// contrasts most with the scheme: black or white. The scheme has two backgrounds;
// background is the one with less contrast to end, so a color that is readable on
// it is readable on the other. In a chart, the bars of unique visitors lie in
// front of the bars of all clicks. The bars behind get no more contrast than they
// need, so that there is enough left for those in front.
func shades(accent, background, end color) string {
	people := apart(accent, background, end, shapeContrast)
	if most := 1.1 * shapeContrast; contrast(people, background) > most {
		people = towards(people, background, func(c color) bool { return contrast(c, background) <= most })
	}
	return fmt.Sprintf("--accent-text:%v;--accent-edge:%v;--chart-people:%v;--chart-unique:%v;--chart-rule:%v",
		readable(accent, background, end), apart(accent, background, end, shapeContrast),
		people, apart(people, people, end, shapeContrast), apart(background, background, end, shapeContrast))
}

// readable moves c towards end until it can be read on a background.
func readable(c, background, end color) color { return apart(c, background, end, textContrast) }

// apart moves c towards end until it stands out from a background.
func apart(c, background, end color, least float64) color {
	return towards(c, end, func(c color) bool { return contrast(c, background) >= least })
}

// towards moves c in small steps until the color is enough, or end is reached.
func towards(c, end color, enough func(color) bool) color {
	for part := 0.0; ; part += 0.01 {
		if mixed := mix(c, end, min(part, 1)); part >= 1 || enough(mixed) {
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
