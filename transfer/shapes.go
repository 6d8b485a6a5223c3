package transfer

// A shape describes the CSV files of a program, or of many programs. Columns are
// named by their keys.
type shape struct {
	format   Format
	required [][]string          // a file has this shape if it has one column of each list
	fields   map[string][]string // the columns for each part of a link; the first one that is not empty counts
	ignored  []string            // columns that no link needs; they are not reported
}

// The parts of a link that a column of a shape may contain.
const (
	hasURL         = "external_url"
	hasPath        = "vanity_link"
	hasShort       = "short"  // the whole short URL
	hasSecond      = "second" // another path of the link, or its whole short URL
	hasHost        = "host"
	hasTitle       = "title"
	hasDescription = "description"
	hasNotes       = "notes"
	hasTags        = "group"
	hasCreated     = "created_at"
	hasExpires     = "expires_at"
	hasPassword    = "password" // or its hash, or a flag that there is one
	hasBanned      = "is_active"
)

// shapes are the known shapes, in the order in which they are tried.
var shapes = []shape{
	{
		// There are two forms. The list of short URLs in the web client writes
		// createdAt, domain, shortCode, shortUrl, longUrl, title, tags
		// (separated by |), and visits: see
		// src/short-urls/helpers/ExportShortUrlsBtn.tsx in
		// github.com/shlinkio/shlink-web-component. The command
		// "short-url:import csv" reads Long URL, Short code, and optionally
		// Domain, Title, and Tags, without regard to case and spaces: see
		// src/Sources/Csv/CsvImporter.php in
		// github.com/shlinkio/shlink-importer.
		format:   Shlink,
		required: [][]string{{"longurl"}, {"shortcode"}},
		fields: map[string][]string{
			hasURL: {"longurl"}, hasPath: {"shortcode"}, hasHost: {"domain"}, hasTitle: {"title"}, hasTags: {"tags"},
			hasCreated: {"createdat", "datecreated"},
		},
		ignored: []string{"shorturl"},
	},
	{
		// The dashboard has no export, so users export the API's list of links.
		// Its fields are described at
		// https://developers.rebrandly.com/docs/link-entity, and a script that
		// writes the file at
		// https://developers.rebrandly.com/recipes/export-links-to-csv.
		format:   Rebrandly,
		required: [][]string{{"slashtag"}, {"destination", "destinationurl"}},
		fields: map[string][]string{
			hasURL: {"destination", "destinationurl"}, hasPath: {"slashtag"}, hasShort: {"shorturl"}, hasHost: {"domainfullname", "domainname", "domain"},
			hasTitle: {"title"}, hasDescription: {"description"}, hasTags: {"tags"}, hasCreated: {"createdat"}, hasExpires: {"expiredat", "expiresat"},
		},
		ignored: []string{"id", "domainid", "updatedat", "https", "status", "integrated", "ispublic", "creator", "creatorid", "lastclickat", "lastclickdate"},
	},
	{
		// Exports name their columns by the fields of links in the API:
		// https://developers.short.io/reference.
		format:   ShortIO,
		required: [][]string{{"originalurl"}, {"path", "shorturl", "secureshorturl"}},
		fields: map[string][]string{
			hasURL: {"originalurl"}, hasPath: {"path"}, hasShort: {"shorturl", "secureshorturl"}, hasHost: {"domain", "hostname", "domainhostname"},
			hasTitle: {"title"}, hasTags: {"tags"}, hasCreated: {"createdat"}, hasExpires: {"expiresat"}, hasPassword: {"password", "haspassword"},
		},
		ignored: []string{"id", "idstring", "domainid", "ownerid", "updatedat", "source", "lcpath", "passwordcontact"},
	},
	{
		// The table links, see server/models/link.model.js in
		// github.com/thedevs-network/kutt, with the name of the domain, which
		// server/queries/link.queries.js adds. password is a bcrypt hash.
		format:   Kutt,
		required: [][]string{{"address"}, {"target"}},
		fields: map[string][]string{
			hasURL: {"target"}, hasPath: {"address"}, hasShort: {"link"}, hasHost: {"domain", "domainaddress", "domainname"}, hasDescription: {"description"},
			hasCreated: {"createdat"}, hasExpires: {"expirein"}, hasPassword: {"password"}, hasBanned: {"banned"},
		},
		ignored: []string{"id", "uuid", "userid", "domainid", "bannedbyid", "updatedat"},
	},
	{
		// There are two forms. The dashboard's export has Link, Custom Link,
		// and Destination URL, according to
		// https://urlr.me/docs/migration/bitly (github.com/URLR/urlr-docs).
		// Exports by the API (dev.bitly.com, links_list) use its field names:
		// link, long_url, title, created_at, custom_bitlinks, tags, archived.
		format:   Bitly,
		required: [][]string{{"link", "bitlink", "customlink", "custombitlink", "custombitlinks"}, {"longurl", "destinationurl", "destination"}},
		fields: map[string][]string{
			hasURL: {"longurl", "destinationurl", "destination"}, hasShort: {"link", "bitlink"}, hasSecond: {"customlink", "custombitlink", "custombitlinks"},
			hasTitle: {"title"}, hasTags: {"tags"}, hasCreated: {"createdat", "created", "createddate", "datecreated"},
			hasExpires: {"expirationat", "expiresat", "expirationdate"},
		},
		ignored: []string{"id", "groupguid", "createdby", "references"},
	},
	{
		// Files that people and many small programs write.
		format:   Plain,
		required: [][]string{{"url", "destination", "destinationurl", "longurl", "originalurl", "target", "targeturl"}, {"slug", "path", "alias", "short", "code", "shortcode", "key", "backhalf", "shortid", "keyword", "shorturl", "vanitylink"}},
		fields: map[string][]string{
			hasURL:  {"url", "destination", "destinationurl", "longurl", "originalurl", "target", "targeturl"},
			hasPath: {"slug", "path", "alias", "short", "code", "shortcode", "key", "backhalf", "shortid", "keyword", "vanitylink"}, hasShort: {"shorturl"},
			hasHost: {"domain", "host"}, hasTitle: {"title", "name"}, hasDescription: {"description"}, hasNotes: {"notes", "note", "comment"},
			hasTags: {"tags", "tag", "group"}, hasCreated: {"createdat", "created", "datecreated"}, hasExpires: {"expiresat", "expires", "expiration", "expirationdate"},
			hasPassword: {"password", "haspassword"},
		},
		ignored: []string{"id", "updatedat"},
	},
}

// fits reports whether a header has this shape.
func (s *shape) fits(t *table) bool {
	for _, any := range s.required {
		if !t.has(any...) {
			return false
		}
	}
	return true
}

// shapeOf returns the shape of a format, nil if it has none.
func shapeOf(f Format) *shape {
	for i := range shapes {
		if shapes[i].format == f {
			return &shapes[i]
		}
	}
	return nil
}
