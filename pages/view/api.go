package view

// An API is the page that describes the API.
type API struct {
	Base     string // the beginning of the addresses of the API
	OpenAPI  string // the address of the OpenAPI description
	Login    string // "" if the account has none
	ShortWay string // an address that makes a link
	Renews   bool   // the pass can be renewed on these pages
	Zone     string // of all times: America/Chicago
	Calls    []Call
	Errors   []Status
}

// A Call of the API.
type Call struct {
	Name    string
	URL     string
	Methods string   // GET, POST, or both with a comma between
	Text    string   // a description of the call
	Returns []Status // if it succeeds
	Params  []Param
	Fields  []string // the names of the answer's fields
	Samples []Sample
}

// A Status is one that a call answers with.
type Status struct {
	Code, Text string
}

// A Param is a parameter of a call.
type Param struct {
	Name, Text string
	Values     []string // the allowed values, the default first; empty if any value is allowed
	Required   bool
	Barred     bool // the type of the account does not allow it
}

// A Sample is a small program that makes a call.
type Sample struct {
	Language, Code string
}

// A Try is the form that makes a call. It also shows the answer.
type Try struct {
	Name, Text string
	Changes    bool // the call changes something
	Fields     []Field
	Curl       string  // the same call with curl
	Answer     *Answer // nil if no call was made
}

// An Answer of the API.
type Answer struct {
	Status      int
	Reason      string // the name of the status
	ContentType string
	Body        string
	Truncated   bool // the body is longer than what is shown
}
