package linktrack

import (
	"net/http"
	"slices"
	"strings"
)

// An apiCall is a path that programs ask for, as OpenAPI describes it.
type apiCall struct {
	path, id             string
	summary, description string
	open                 bool     // asks for no login and pass
	get, post            []string // keys of the parameters; nil: not by that method
	required             []string
	answers              []apiAnswer
	errors               []int // statuses
	errorsAs             []string
}

type apiAnswer struct {
	status      int
	method      string // "": any
	description string
	as          []string // media types; nil: no body
	schema      string   // of JSON and XML
}

type apiParam struct {
	key, name   string // the key is the name, unless calls differ in what it is
	description string
	schema      object
}

const apiDescription = "Makes tracking links and tells about their clicks. " +
	"A parameter that is empty counts as absent; one that is not known is ignored. " +
	"With POST, parameters may stand in the form or in the query; the form counts before. " +
	"In XML what is absent is an empty element, in JSON null."

var (
	asText     = []string{"text/plain"}
	asDocument = []string{"application/xml", "application/json"}
	asTable    = []string{"application/xml", "application/json", "text/csv"}

	documentErrors = []int{400, 401, 403, 413, 415, 429, 500, 503}
	linkErrors     = []int{400, 401, 403, 404, 413, 415, 429, 500, 503}
)

var (
	linksParams   = []string{"sort", "order", "limit", "links", "groups", "format"}
	historyParams = []string{"redirect_hash", "sort_history", "order", "limit", "start_date", "end_date", "before", "after", "format_table"}
	reportParams  = []string{"redirect_hash", "from", "to", "by", "format_table"}
	exportParams  = []string{"redirect_hash", "start_date_export", "end_date", "after", "format_file"}
	goalParams    = []string{"click", "lt_click", "link", "order_goal", "value", "currency"}
)

var apiCalls = []apiCall{
	{
		path: "api/v1_0/makeLink", id: "makeLink",
		summary:     "Make a tracking link",
		description: "Every call makes a new link, also for a destination seen before. By GET external_url may stand there unencoded: then it runs to the end of the query, or to &login= or &pass=. All parameters but external_url need an account type that allows them.",
		get:         []string{"external_url"},
		post:        slices.Concat([]string{"external_url"}, linkParams),
		required:    []string{"external_url"},
		answers:     []apiAnswer{{201, "", "The absolute tracking link and nothing else.", asText, ""}},
		errors:      []int{400, 401, 403, 409, 413, 415, 429, 500, 503}, errorsAs: asText,
	},
	{
		path: "api/v1_0/getLink", id: "getLink",
		summary:     "Show one link",
		description: "Without redirect_hash it is getLinks; the parameters of the list count only then.",
		get:         slices.Concat([]string{"redirect_hash"}, linksParams),
		post:        slices.Concat([]string{"redirect_hash"}, linksParams),
		answers:     []apiAnswer{{200, "", "The link, or links.", asDocument, "LinkOrLinks"}},
		errors:      linkErrors, errorsAs: asDocument,
	},
	{
		path: "api/v1_0/getLinks", id: "getLinks",
		summary:     "List links",
		description: "The account's links, sorted. Links and groups that do not exist match nothing; where both are given, both must hold.",
		get:         linksParams, post: linksParams,
		answers: []apiAnswer{{200, "", "The links.", asDocument, "Links"}},
		errors:  documentErrors, errorsAs: asDocument,
	},
	{
		path: "api/v1_0/getLinkHistory", id: "getLinkHistory",
		summary:     "List the clicks of a link",
		description: "Today's, unless start_date says otherwise. To page beyond a thousand: before or after the last id that was read.",
		get:         historyParams, post: historyParams,
		required: []string{"redirect_hash"},
		answers:  []apiAnswer{{200, "", "The clicks.", asTable, "History"}},
		errors:   linkErrors, errorsAs: append(slices.Clone(asDocument), "text/plain"),
	},
	{
		path: "api/v1_0/getReport", id: "getReport",
		summary:     "Sum up the clicks of a link",
		description: "Counts by day or hour, and people's clicks by referrer, browser, platform and country.",
		get:         reportParams, post: reportParams,
		required: []string{"redirect_hash"},
		answers:  []apiAnswer{{200, "", "The report.", asTable, "Report"}},
		errors:   linkErrors, errorsAs: append(slices.Clone(asDocument), "text/plain"),
	},
	{
		path: "api/v1_0/exportHistory", id: "exportHistory",
		summary:     "Export the clicks of a link",
		description: "All that is still known, oldest first, however many. Where it breaks off, it goes on with after.",
		get:         exportParams, post: exportParams,
		required: []string{"redirect_hash"},
		answers:  []apiAnswer{{200, "", "The clicks, as a file.", []string{"text/csv", "application/json"}, "History"}},
		errors:   linkErrors, errorsAs: []string{"text/plain", "application/json"},
	},
	{
		path: "api/v1_0/conversion", id: "conversion",
		summary:     "Report a conversion",
		description: "Counts once per click, and once per order_id; a report may be repeated.",
		post:        []string{"click_id", "order_id", "value", "currency", "format"},
		required:    []string{"click_id"},
		answers: []apiAnswer{
			{201, "", "It was counted.", asDocument, "Conversion"},
			{200, "", "It was counted before.", asDocument, "Conversion"},
		},
		errors: linkErrors, errorsAs: asDocument,
	},
	{
		path: "api/v1_0/getOptOutLink", id: "getOptOutLink",
		summary:     "Get an address that leaves a browser out of the counts",
		description: "Whoever opens it, within a day, is not recorded on the account's links on that host any more, for a year.",
		get:         []string{"host_optout"}, post: []string{"host_optout"},
		answers: []apiAnswer{{200, "", "The address and nothing else.", asText, ""}},
		errors:  documentErrors, errorsAs: asText,
	},
	{
		path: "api/optout", id: "optOut", open: true,
		summary:     "Leave this browser out of the counts",
		description: "The address that getOptOutLink answers, for a browser.",
		get:         []string{"account", "token", "undo"},
		required:    []string{"account", "token"},
		answers:     []apiAnswer{{200, "", "Says what was done, and how to undo it.", asText, ""}},
		errors:      []int{403}, errorsAs: asText,
	},
	{
		path: "api/ping", id: "ping", open: true,
		summary:     "Ask whether the service is there",
		description: "It asks for no login and pass.",
		get:         []string{},
		answers:     []apiAnswer{{200, "", "The domain name, a space, and the local time in ISO 8601.", asText, ""}},
	},
	{
		path: "api/openapi.json", id: "openapi", open: true,
		summary:     "This description",
		description: "OpenAPI 3.1.",
		get:         []string{},
		answers:     []apiAnswer{{200, "", "The description.", []string{"application/json"}, "Description"}},
	},
	{
		path: "c.gif", id: "goal", open: true,
		summary:     "Report a conversion by a goal page",
		description: "For an image or the script c.js. It tells nobody what came of it. Without click it is the newest click of the browser's cookies.",
		get:         goalParams, post: goalParams,
		answers: []apiAnswer{
			{200, http.MethodGet, "An image of one pixel, whatever happened.", []string{"image/gif"}, ""},
			{204, http.MethodPost, "Nothing, whatever happened.", nil, ""},
		},
	},
}

// apiErrors are the statuses of errors, of all calls.
var apiErrors = []struct {
	status      int
	description string
	header      string // that goes with it
	post        bool   // by POST only
}{
	{400, "A parameter is missing or breaks a rule; the message names both.", "", false},
	{401, "The login or the pass is wrong.", "WWW-Authenticate", false},
	{403, "Not allowed: the account is switched off or of another type, or the destination is refused.", "", false},
	{404, "The account has no such link, or click.", "", false},
	{409, "The vanity link is taken.", "", true},
	{413, "The body is too large.", "", true},
	{415, "The body is no form.", "", true},
	{429, "Too many failures; Retry-After says how many seconds to wait.", "Retry-After", false},
	{500, "A failure of the service.", "", false},
	{503, "The service is unavailable for the moment; nothing was done.", "Retry-After", false},
}

// Schemas of parameters.

func textParam(most int) object { return object{{"type", "string"}, {"maxLength", most}} }

func choice(first string, others ...string) object {
	return object{{"type", "string"}, {"enum", append([]string{first}, others...)}, {"default", first}}
}

func flagParam(absent string) object {
	return object{{"type", "string"}, {"enum", []string{"1", "0", "true", "false", "yes", "no", "on", "off"}}, {"default", absent}}
}

var (
	anyText    = object{{"type", "string"}}
	wholeParam = object{{"type", "integer"}, {"minimum", 0}, {"default", 0}}
	timeParam  = object{{"type", "string"}, {"pattern", `^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$`}, {"examples", []string{"2024-11-24 10:35:16", "2024-11-24"}}}
	dayParam   = object{{"type", "string"}, {"format", "date"}}
	idParam    = object{{"type", "string"}, {"format", "uuid"}}
)

func sortsParam() object {
	names := strings.Split(joinSorts(), ", ")
	return object{{"type", "string"}, {"enum", names}, {"default", string(SortCreated)}}
}

var apiParams = []apiParam{
	{"external_url", "external_url", "Where the link leads: an absolute http or https URL of at most 4,096 bytes.", object{{"type", "string"}, {"format", "uri"}}},
	{"host", "host", "One of the hosts of this service; the link is on it. Default: the first that the account may use.", anyText},
	{"title", "title", "Up to 255 characters.", textParam(maxTitle)},
	{"vanity_link", "vanity_link", "The path of the link, instead of a generated one. Its case is kept, and does not count.", object{{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]{1,100}$"}}},
	{"description", "description", "Up to 2,000 characters.", textParam(maxDescription)},
	{"notes", "notes", "For the owner alone; up to 10,000 characters.", textParam(maxNotes)},
	{"alert_at", "alert_at", "Alert the owner when that many people have clicked; 0: never.", wholeParam},
	{"deactivate_at", "deactivate_at", "Let that many people through, then nobody; 0: any number.", wholeParam},
	{"has_alert_email", "has_alert_email", "Send the alert by mail, too.", flagParam("0")},
	{"password", "password", "Visitors are asked for it.", object{{"type", "string"}, {"format", "password"}}},
	{"is_active", "is_active", "0: the link leads nowhere.", flagParam("1")},
	{"is_public", "is_public", "The link may be listed and indexed.", flagParam("0")},
	{"has_plus_tracking", "has_plus_tracking", "Anyone may see a summary at the link with + behind it.", flagParam("0")},
	{"has_public_tracking", "has_public_tracking", "Anyone may see the full report.", flagParam("0")},
	{"has_conversion_tracking", "has_conversion_tracking", "Clicks may lead to conversions.", flagParam("0")},
	{"expires_at", "expires_at", "The link leads nowhere from then on. A day means its 00:00:00.", timeParam},
	{"group", "group", "The name of a group, which is made on first use; without case.", textParam(maxGroup)},
	{"redirect_hash", "redirect_hash", "The path of a link, with or without its dot, in any case, or the whole link.", anyText},
	{"sort", "sort", "What to sort by.", sortsParam()},
	{"sort_history", "sort", "What to sort by.", choice("h.created_at")},
	{"order", "order", "Descending or ascending.", choice("desc", "asc")},
	{"limit", "limit", "How many, at most.", object{{"type", "integer"}, {"minimum", 1}, {"maximum", maxLimit}, {"default", defaultLimit}}},
	{"links", "links", "The redirect_hash of each link to return: a comma-separated list of at most 1,000 items. An item may be in quotation marks, as in CSV.", anyText},
	{"groups", "groups", "The names of the groups whose links to return: a comma-separated list of at most 1,000 items. Put a name with a comma in quotation marks, as in CSV: \"Berlin, Summer\",News; write a quotation mark inside them twice.", anyText},
	{"format", "format", "Of the answer, errors too.", choice("xml", "json")},
	{"format_table", "format", "Of the answer. Errors are in it, too; in csv they are text.", choice("xml", "json", "csv")},
	{"format_file", "format", "Of the file. An error is in it, too; in csv it is text.", choice("csv", "json")},
	{"start_date", "start_date", "Inclusive; at most 30 days back. Default: today 00:00:00.", timeParam},
	{"start_date_export", "start_date", "Inclusive. Default: no bound.", timeParam},
	{"end_date", "end_date", "Exclusive. Default: no bound.", timeParam},
	{"before", "before", "Only clicks before the one of this id.", idParam},
	{"after", "after", "Only clicks after the one of this id.", idParam},
	{"from", "from", "The first day. Default: 30 days that end with to; by hour: to.", dayParam},
	{"to", "to", "The last day. Default: today. From from to to are at most 400 days, or 31 by hour.", dayParam},
	{"by", "by", "The length of a period.", choice(string(ByDay), string(ByHour))},
	{"click_id", "click_id", "What the destination got as lt_click.", anyText},
	{"order_id", "order_id", "The owner's own name for what was sold; one conversion counts for it.", textParam(maxOrderID)},
	{"value", "value", "The value of the conversion: a decimal number with at most four digits after the point.", object{{"type", "string"}, {"pattern", `^\d+(\.\d{1,4})?$`}}},
	{"currency", "currency", "Of the value: a code of ISO 4217. Either both are given or neither.", object{{"type", "string"}, {"pattern", "^[A-Z]{3}$"}}},
	{"host_optout", "host", "One of the hosts of this service. Default: its first.", anyText},
	{"account", "account", "As getOptOutLink wrote it.", object{{"type", "integer"}}},
	{"token", "token", "As getOptOutLink wrote it.", anyText},
	{"undo", "undo", "1: record this browser again.", object{{"type", "string"}, {"enum", []string{"1"}}}},
	{"click", "click", "What the landing page got as lt_click.", anyText},
	{"lt_click", "lt_click", "The same as click.", anyText},
	{"link", "link", "The path of any link of the account: of the cookies only its clicks are looked at.", anyText},
	{"order_goal", "order", "The owner's own name for what was sold; one conversion counts for it.", textParam(maxOrderID)},
}

// fieldTexts say what the fields of answers are, where their names do not.
var fieldTexts = map[string]string{
	"redirect_hash": "The path of the link, by which other calls name it.",
	"link":          "The tracking link.",
	"vanity_link":   "The path, if it was not generated.",
	"is_active":     "1: it leads to its destination. 0 also where deactivate_at is reached.",
	"has_password":  "1: visitors are asked for a password.",
	"expires_at":    "2006-01-02 15:04:05.",
	"created_at":    "2006-01-02 15:04:05.",
	"updated_at":    "The last click, 2006-01-02 15:04:05.",
	"count_day":     "People's clicks in the last 24 hours.",
	"count_total":   "People's clicks.",
	"count_unique":  "Of these, the ones of new visitors, or of those who came back after 30 minutes.",
	"count_bot":     "Clicks of programs that say so.",
	"ip_address":    "As much of it as the service keeps.",
	"query":         "The query string of the tracking link.",
	"value":         "Null if it is not known.",
	"counted":       "1: now. 0: it was counted before.",
	"code":          "The status of the answer.",
	"message":       "A sentence that names the parameter and the rule.",
	"start":         "2006-01-02 15:04:05.",
	"utc_offset":    "Seconds east of UTC, for the hour that comes twice.",
	"other":         "Clicks with further values.",
	"values":        "The values of conversions, by currency.",
}
