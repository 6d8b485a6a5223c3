package linktrack_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/linktrackhq/linktrack"
	"github.com/linktrackhq/linktrack/internal/trackertest"
)

func TestASearchUnderstandsWordsAndTrackingURLs(t *testing.T) {
	onEachStore(t, func(t *testing.T, store linktrack.Store) {
		s := trackertest.NewService(t, store, linktrack.Options{BaseURL: "http://go.example.com:8080/l", Hosts: []string{"alt.example"}})
		for _, in := range []linktrack.NewLink{
			{VanityLink: "spring", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/sale", Title: "The April newsletter"}},
			{VanityLink: "spring", Host: "alt.example", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.com/l/other"}},
			{VanityLink: "summer", LinkSettings: linktrack.LinkSettings{ExternalURL: "https://example.org/newsletter", Notes: "in April, or May"}},
		} {
			_, err := s.Tracker.MakeLink(t.Context(), s.Account, in)
			require.NoError(t, err)
		}
		const one, two, three = "go.example.com:8080/spring", "alt.example/spring", "go.example.com:8080/summer"
		for text, want := range map[string][]string{
			"newsletter april":                          {one, three},
			"APRIL  newsletter":                         {one, three},
			"april newsletter may":                      {three},
			"april winter":                              nil,
			"http://go.example.com:8080/l/spring":       {one},
			"go.example.com:8080/l/spring":              {one},
			"GO.example.com/l/Spring?utm=x#y":           {one},
			"https://alt.example/l/spring/":             {two},
			"alt.example/l/spring+":                     {two},
			"alt.example/l/spr":                         {two},
			"alt.example/spring":                        {two},
			"alt.example/l/spring sale":                 nil,
			"go.example.com:8080/l/spring the sale":     {one},
			"https://go.example.com:8080/l/ newsletter": {one, three},
			"https://alt.example":                       {two},
			"alt.example/l":                             {two},
			"alt.example":                               {two},
			"https://example.com/l/other":               {two},
			"example.com/sale":                          {one},
			"":                                          {one, two, three},
		} {
			links, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: text, Ascending: true})
			require.NoError(t, err, text)
			var found []string
			for _, l := range links {
				found = append(found, l.Host+"/"+l.Path)
			}
			require.Equal(t, want, found, "%q", text)
		}
		words := strings.Fields("the april newsletter sale spring a b c d e f g h i j k l m n o p")
		_, err := s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: strings.Join(words[:linktrack.MaxSearchWords], " ")})
		require.NoError(t, err)
		_, err = s.Tracker.Links(t.Context(), s.Account, linktrack.LinksQuery{Search: strings.Join(words, " ")})
		var invalid *linktrack.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, "search must have at most 20 words", err.Error())
	})
}
