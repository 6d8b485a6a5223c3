package apispec

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADescriptionIsWellFormedWhateverTheAddressOfTheService(t *testing.T) {
	var d struct {
		Info    struct{ Description string }
		Servers []struct{ URL string }
	}
	require.NoError(t, json.Unmarshal(Document(`http://a.example/"\<`, "UTC"), &d))
	require.Equal(t, `http://a.example/"\<`, d.Servers[0].URL)
	require.Contains(t, d.Info.Description, "in the zone UTC.")
	require.NotContains(t, string(Document("", "")), "{{")
}

// unique is a JSON value none of whose objects has a name twice.
type unique struct{}

func (u *unique) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '{':
		return json.Unmarshal(b, new(ordered[unique]))
	case '[':
		return json.Unmarshal(b, new([]unique))
	}
	return nil
}

func TestNoNameStandsTwiceInAnObject(t *testing.T) {
	require.ErrorContains(t, json.Unmarshal([]byte(`[{"a":{"b":1,"c":2,"b":3}}]`), new(unique)), "b stands there twice")
	require.NoError(t, json.Unmarshal([]byte(document), new(unique)))
}

func TestCallsAreReadFromTheDescription(t *testing.T) {
	calls := map[string]Call{}
	var names []string
	for _, c := range Calls() {
		calls[c.Name], names = c, append(names, c.Name)
	}
	require.Equal(t, []string{"makeLink", "getLink", "getLinks"}, names[:3], "in the order of the document")
	makeLink := calls["makeLink"]
	require.Equal(t, "/api/v1_0/makeLink", makeLink.Path)
	require.Equal(t, []string{"GET", "POST"}, makeLink.Methods)
	require.True(t, makeLink.Changes)
	require.Nil(t, makeLink.Fields)
	require.Equal(t, Param{Name: "external_url", Methods: []string{"GET", "POST"}, Required: true}, withoutText(t, makeLink.Params[0]))
	require.Equal(t, Param{Name: "host", Methods: []string{"POST"}}, withoutText(t, makeLink.Params[1]))
	require.Equal(t, []string{"POST"}, calls["conversion"].Methods)
	require.True(t, calls["ping"].Open)
	require.False(t, calls["getLinks"].Open || calls["getLinks"].Changes)
	require.Equal(t, Param{Name: "order", Methods: []string{"GET", "POST"}, Values: []string{"desc", "asc"}}, withoutText(t, calls["getLinks"].Params[1]))
	require.True(t, strings.HasPrefix(makeLink.Text, "Makes a link. "))
	require.Len(t, makeLink.Answers, 1)
	require.Equal(t, []string{"201", "200"}, []string{calls["conversion"].Answers[0].Status, calls["conversion"].Answers[1].Status})
	for name, fields := range map[string][]string{"getLink": {"redirect_hash", "link"}, "exportHistory": {"id", "created_at"}, "conversion": {"click_id", "order_id"}} {
		require.Equal(t, fields, calls[name].Fields[:2], name)
	}
}

func withoutText(t *testing.T, p Param) Param {
	require.NotEmpty(t, p.Text, p.Name)
	p.Text = ""
	return p
}

func TestACallIsDescribedAlikeWithGetAndWithPost(t *testing.T) {
	d := read()
	for _, p := range d.Paths {
		texts := map[string]string{}
		says := func(what, text string) {
			require.NotEmpty(t, text, "%s: %s", p.name, what)
			if other, ok := texts[what]; ok {
				require.Equal(t, other, text, "%s: %s", p.name, what)
			}
			texts[what] = text
		}
		for _, o := range p.value {
			says("the call", o.value.Description)
			for _, q := range d.params(o.value) {
				says(q.Name, q.Text)
			}
			for _, r := range o.value.Responses {
				if strings.HasPrefix(r.name, "2") && p.name != "/c.gif" {
					says(r.name, r.value.Description)
				}
			}
		}
	}
}

func TestAStatusOfAnErrorIsDescribedAlikeInAllFormats(t *testing.T) {
	texts := map[string]string{}
	for _, e := range Errors() {
		require.NotEmpty(t, e.Text, e.Status)
		texts[e.Status] = e.Text
	}
	require.Len(t, texts, len(Errors()))
	for _, r := range read().Components.Responses {
		status, _, _ := strings.Cut(r.name, ".")
		require.Equal(t, texts[status], r.value.Description, r.name)
	}
	require.Equal(t, "400", Errors()[0].Status)
}
