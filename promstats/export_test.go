package promstats

var BuildInfo = buildInfo
