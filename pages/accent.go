package pages

import (
	"encoding/hex"
	"fmt"
	"math"

	"github.com/linktrackhq/linktrack"
)

// A color has a red, a green, and a blue part.
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

// Text on the accent is white or black. light and dark are backgrounds in
// style.css, one for each color scheme: see shades.
var (
	white = color{255, 255, 255}
	black = color{0, 0, 0}
	light = color{0xf6, 0xf7, 0xf9}
	dark  = color{0x1d, 0x21, 0x28}
)

// The contrasts that WCAG AA requires of text (4.5) and of meaningful shapes (3),
// and a little more, because colors are rounded.
const (
	textContrast  = 4.6
	shapeContrast = 3.1
)

// brandStyle returns the style sheet with the accent. Backgrounds have the accent
// itself. Text and shapes have a darker or lighter color that stands out, which
// depends on the color scheme of the browser.
func brandStyle(accent color) string {
	on := white
	if contrast(accent, white) < contrast(accent, black) {
		on = black
	}
	return fmt.Sprintf(":root{--accent:%v;--on-accent:%v;%s}\n@media (prefers-color-scheme:dark){:root{%s}}\n",
		accent, on, shades(accent, light, black), shades(accent, dark, white))
}

// shades returns the colors of one scheme, light or dark. end is black or white:
// the color that contrasts most with the scheme. The scheme has two backgrounds;
// background is the one with less contrast to end, so a color that is readable on
// it is readable on the other. In a chart, the bars of unique visitors are in
// front of the bars of all clicks. The bars behind get only the contrast that
// they need, so that enough is left for those in front.
func shades(accent, background, end color) string {
	people := apart(accent, background, end, shapeContrast)
	if limit := 1.1 * shapeContrast; contrast(people, background) > limit {
		people = toward(people, background, func(c color) bool { return contrast(c, background) <= limit })
	}
	return fmt.Sprintf("--accent-text:%v;--accent-edge:%v;--chart-people:%v;--chart-unique:%v;--chart-rule:%v",
		readable(accent, background, end), apart(accent, background, end, shapeContrast),
		people, apart(people, people, end, shapeContrast), apart(background, background, end, shapeContrast))
}

// readable moves c toward end until it can be read on a background.
func readable(c, background, end color) color { return apart(c, background, end, textContrast) }

// apart moves c toward end until its contrast to a background is at least ratio.
func apart(c, background, end color, ratio float64) color {
	return toward(c, end, func(c color) bool { return contrast(c, background) >= ratio })
}

// toward moves c in small steps until enough accepts the color, or end is
// reached.
func toward(c, end color, enough func(color) bool) color {
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
