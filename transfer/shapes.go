package transfer

// A shape is how the CSV of a program, or of many, is laid out: which columns
// there are, by their key.
type shape struct {
	format Format
	marks  [][]string          // it is known by these: of each list one column is there
	fields map[string][]string // what the columns hold; the first in which anything stands counts
	quiet  []string            // columns that say nothing which a link could have
}

// What a column of a shape may hold.
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
	hasPassword    = "password" // or its hash, or whether there is one
	hasBanned      = "is_active"
)

// shapes are tried in this order.
var shapes = []shape{
	{
		// Two forms. The list of short URLs of the web client writes createdAt,
		// domain, shortCode, shortUrl, longUrl, title, tags with | between, visits:
		// src/short-urls/helpers/ExportShortUrlsBtn.tsx of
		// github.com/shlinkio/shlink-web-component. What "short-url:import csv" reads
		// has Long URL, Short code, and perhaps Domain, Title, Tags, spaces and case
		// not counted: src/Sources/Csv/CsvImporter.php of
		// github.com/shlinkio/shlink-importer.
		format: Shlink,
		marks:  [][]string{{"longurl"}, {"shortcode"}},
		fields: map[string][]string{
			hasURL: {"longurl"}, hasPath: {"shortcode"}, hasHost: {"domain"}, hasTitle: {"title"}, hasTags: {"tags"},
			hasCreated: {"createdat", "datecreated"},
		},
		quiet: []string{"shorturl"},
	},
	{
		// The dashboard offers no file; what its users make is the list of the API,
		// whose fields https://developers.rebrandly.com/docs/link-entity describes,
		// and https://developers.rebrandly.com/recipes/export-links-to-csv writes.
		format: Rebrandly,
		marks:  [][]string{{"slashtag"}, {"destination", "destinationurl"}},
		fields: map[string][]string{
			hasURL: {"destination", "destinationurl"}, hasPath: {"slashtag"}, hasShort: {"shorturl"}, hasHost: {"domainfullname", "domainname", "domain"},
			hasTitle: {"title"}, hasDescription: {"description"}, hasTags: {"tags"}, hasCreated: {"createdat"}, hasExpires: {"expiredat", "expiresat"},
		},
		quiet: []string{"id", "domainid", "updatedat", "https", "status", "integrated", "ispublic", "creator", "creatorid", "lastclickat", "lastclickdate"},
	},
	{
		// The fields of the API's links, https://developers.short.io/reference, by
		// which its exports name their columns.
		format: ShortIO,
		marks:  [][]string{{"originalurl"}, {"path", "shorturl", "secureshorturl"}},
		fields: map[string][]string{
			hasURL: {"originalurl"}, hasPath: {"path"}, hasShort: {"shorturl", "secureshorturl"}, hasHost: {"domain", "hostname", "domainhostname"},
			hasTitle: {"title"}, hasTags: {"tags"}, hasCreated: {"createdat"}, hasExpires: {"expiresat"}, hasPassword: {"password", "haspassword"},
		},
		quiet: []string{"id", "idstring", "domainid", "ownerid", "updatedat", "source", "lcpath", "passwordcontact"},
	},
	{
		// The table links: server/models/link.model.js of
		// github.com/thedevs-network/kutt, with the domain's name that
		// server/queries/link.queries.js adds. password is a bcrypt hash.
		format: Kutt,
		marks:  [][]string{{"address"}, {"target"}},
		fields: map[string][]string{
			hasURL: {"target"}, hasPath: {"address"}, hasShort: {"link"}, hasHost: {"domain", "domainaddress", "domainname"}, hasDescription: {"description"},
			hasCreated: {"createdat"}, hasExpires: {"expirein"}, hasPassword: {"password"}, hasBanned: {"banned"},
		},
		quiet: []string{"id", "uuid", "userid", "domainid", "bannedbyid", "updatedat"},
	},
	{
		// Two forms: the dashboard's export has Link, Custom Link, Destination URL,
		// as https://urlr.me/docs/migration/bitly (github.com/URLR/urlr-docs) says;
		// exports by the API (dev.bitly.com, links_list) name columns as the API
		// names fields: link, long_url, title, created_at, custom_bitlinks, tags,
		// archived.
		format: Bitly,
		marks:  [][]string{{"link", "bitlink", "customlink", "custombitlink", "custombitlinks"}, {"longurl", "destinationurl", "destination"}},
		fields: map[string][]string{
			hasURL: {"longurl", "destinationurl", "destination"}, hasShort: {"link", "bitlink"}, hasSecond: {"customlink", "custombitlink", "custombitlinks"},
			hasTitle: {"title"}, hasTags: {"tags"}, hasCreated: {"createdat", "created", "createddate", "datecreated"},
			hasExpires: {"expirationat", "expiresat", "expirationdate"},
		},
		quiet: []string{"id", "groupguid", "createdby", "references"},
	},
	{
		// What people write, and many small programs.
		format: Plain,
		marks:  [][]string{{"url", "destination", "destinationurl", "longurl", "originalurl", "target", "targeturl"}, {"slug", "path", "alias", "short", "code", "shortcode", "key", "backhalf", "shortid", "keyword", "shorturl", "vanitylink"}},
		fields: map[string][]string{
			hasURL:  {"url", "destination", "destinationurl", "longurl", "originalurl", "target", "targeturl"},
			hasPath: {"slug", "path", "alias", "short", "code", "shortcode", "key", "backhalf", "shortid", "keyword", "vanitylink"}, hasShort: {"shorturl"},
			hasHost: {"domain", "host"}, hasTitle: {"title", "name"}, hasDescription: {"description"}, hasNotes: {"notes", "note", "comment"},
			hasTags: {"tags", "tag", "group"}, hasCreated: {"createdat", "created", "datecreated"}, hasExpires: {"expiresat", "expires", "expiration", "expirationdate"},
			hasPassword: {"password", "haspassword"},
		},
		quiet: []string{"id", "updatedat"},
	},
}

// fits reports whether a header is one of the shape's.
func (s *shape) fits(t *table) bool {
	for _, any := range s.marks {
		if !t.has(any...) {
			return false
		}
	}
	return true
}

// shapeOf finds the shape of a format.
func shapeOf(f Format) *shape {
	for i := range shapes {
		if shapes[i].format == f {
			return &shapes[i]
		}
	}
	return nil
}
