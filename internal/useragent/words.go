package useragent

// The words come from what those who run the programs publish:
//
//   - Google: developers.google.com/crawling/docs/crawlers-fetchers (common
//     crawlers, special-case crawlers, user-triggered fetchers)
//   - Microsoft: bing.com/webmasters/help/which-crawlers-does-bing-use-8c184ec0
//   - Apple: support.apple.com/en-us/119829
//   - Meta: developers.facebook.com/docs/sharing/webmasters/web-crawlers
//   - Yandex: yandex.com/support/webmaster/en/robot-workings/check-yandex-robots.html
//   - Slack: api.slack.com/robots
//   - OpenAI: platform.openai.com/docs/bots
//   - Anthropic: support.anthropic.com, "Does Anthropic crawl data from the web"
//   - Perplexity: docs.perplexity.ai/guides/bots
//   - Common Crawl: commoncrawl.org/ccbot
//   - Ahrefs: ahrefs.com/robot; Semrush: semrush.com/bot
//   - UptimeRobot: uptimerobot.com/help/locations; StatusCake:
//     statuscake.com/kb/knowledge-base/what-are-your-ips; Pingdom:
//     documentation.solarwinds.com, "Pingdom probe servers"
//
// and from the list that github.com/monperrus/crawler-user-agents collects.
// HTTP libraries are under the user agent that they send unless told otherwise.

// anywhere are words that show a bot at any place of a user agent, except in the
// name of a phone. They are in lower case. A word that ends in "$" must not be
// followed by a letter. A bot whose name ends in "bot", or that sends "+http" before
// the address of its documentation, as is usual, needs no entry of its own.
var anywhere = []string{
	"+http",
	"bot$", "bots$",
	"crawler", "crawling", "spider$", "scraper", "slurp$", "fetcher", "archiver", "heritrix",
	"preview$", "linkcheck", "link checker", "link-check", "validator",

	// Search, advertising and other fetchers of Google; others of the kind.
	"google-", "-google$", "googleother", "googleproducer", "googleprober", "googlemessages",
	"googleassociationservice", "google favicon", "google web preview",
	"yandeximages", "yandexmetrika", "yandexdirect", "yandexfavicons", "yandexmedia", "yandexvideo",
	"baiduspider", "yeti/", "daumoa", "coccoc/", "qwantify", "nutch", "screaming frog",

	// Link previews.
	"facebookexternalhit", "facebookcatalog", "facebookplatform", "facebot", "meta-external",
	"meta-webindexer", "skypeuripreview", "skype-url-preview", "slack-imgproxy", "vkshare",
	"kakaotalk-scrap", "line-poker", "cardyb", "embedly", "iframely", "snap url preview",
	"opengraph",

	// Programs of AI services that do not end in "bot".
	"chatgpt-user", "claude-user", "claude-web", "anthropic-ai", "perplexity-user",
	"mistralai-user", "cohere-ai", "bytespider", "ai2bot", "timpi",

	// Monitors and tests.
	"uptime", "pingdom", "statuscake", "site24x7", "monitoring", "monitor/", "synthetic",
	"jetmon", "nodeping", "freshping", "updown.io", "catchpoint", "check_http", "lighthouse",
	"gtmetrix", "ptst/", "dareboost", "headless", "phantomjs", "puppeteer", "playwright", "selenium",

	// Scanners, and shells that say Mozilla.
	"zgrab", "masscan", "nmap ", "expanse, a palo alto", "censysinspect", "nuclei", "httrack",
	"winhttp.", "powershell/",
}

// atStart are the names of programs that begin their user agent with it. Apps
// which put their own name first and the library's behind it are people's. A
// name that ends in "$" must be the whole user agent.
var atStart = []string{
	"curl/", "libcurl", "wget/", "wget2/", "httpie/", "xh/", "aria2/", "postmanruntime/", "insomnia/",
	"python-requests/", "python-urllib", "python-httpx/", "python/", "python-", "aiohttp/", "httpx/", "scrapy",
	"go-http-client/", "go-resty/", "fasthttp", "colly ", "req/v",
	"java/", "java-http-client/", "okhttp/", "apache-httpclient/", "apache-httpasyncclient/",
	"jakarta commons-httpclient", "jersey/", "reactornetty/", "unirest-java/", "ktor-client",
	"axios/", "node-fetch", "node$", "node/", "undici", "got/", "got (", "superagent", "node-superagent/", "deno/", "bun/",
	"php/", "php-", "php ", "guzzlehttp/", "guzzle/", "symfony httpclient", "wordpress/",
	"libwww-perl/", "lwp::", "lwp-", "perl ", "www-mechanize/", "mojolicious",
	"ruby$", "ruby/", "ruby,", "faraday v", "rest-client/", "http.rb/", "httparty", "typhoeus", "mechanize/",
	"reqwest/", "ureq/", "hyper/", "rust-", "dart/", "winhttp", "restsharp", "flurl",
	"apachebench/", "hey/", "k6/", "wrk/", "vegeta", "go-vegeta", "jmeter", "siege/", "locust",
	"prometheus/", "blackbox", "zabbix", "nagios", "monit/", "kube-probe/", "elb-healthchecker/",
	"datadog/", "newrelic", "better stack", "hetrixtools",
	"feedly/", "feedburner", "zapier", "ifttt", "w3c_", "w3c-", "nutch-", "nikto", "sqlmap/", "nmap",
	"whatsapp/", "whatsapp$",
}
