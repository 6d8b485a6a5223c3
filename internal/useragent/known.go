package useragent

// IsKnownBrowser reports whether a name from [Parse] belongs to a widely used
// browser or app. Any program can send any name, and public pages should not show
// text that strangers chose.
func IsKnownBrowser(name string) bool { return knownBrowsers[name] }

var knownBrowsers = func() map[string]bool {
	known := make(map[string]bool)
	for _, name := range []string{
		"Android browser", "BlackBerry", "Brave", "Chrome", "Chromium", "DuckDuckGo", "Ecosia", "Edge", "Epiphany", "Facebook App",
		"Falkon", "Firefox", "Firefox Focus", "Gmail", "Google App", "Huawei Browser", "Instagram App", "Internet Explorer", "Konqueror",
		"Links", "Lynx", "Miui Browser", "Mobile Safari", "Mozilla", "NetFront", "Opera", "Opera Mini", "Opera Touch", "PaleMoon",
		"QQBrowser", "Safari", "Samsung Browser", "Samsung Internet", "SeaMonkey", "Silk", "Snapchat", "Thunderbird", "TikTok App",
		"UC Browser", "Vivaldi", "WeChat", "WebView", "Whale", "WhatsApp", "Yandex Browser", "w3m",
	} {
		known[name] = true
	}
	return known
}()
