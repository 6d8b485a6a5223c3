// Keeps the newest click that led here, and reports what it led to.
(function (d, l) {
  var s = d.currentScript, a = s.dataset,
    // A click begins with its time. Clocks differ by minutes, not by more.
    past = function (m) { return m && parseInt(m[1].slice(0, 12), 16) < Date.now() + 3e5 ? m[1] : ""; },
    click = past(d.cookie.match(/(?:^|; )linktrack_click=([0-9a-f]{32}\w+)/)),
    landed = past(l.search.match(/.*[?&]lt_click=([0-9a-f]{32}\w+)/));
  if (landed > click)
    d.cookie = "linktrack_click=" + (click = landed) + ";path=/;max-age=2592000;samesite=lax" +
      (l.protocol == "https:" ? ";secure" : "") + (a.domain ? ";domain=" + a.domain : "");
  window.linktrack = function (verb, o) {
    var p = new URLSearchParams({ click: click });
    for (var k of ["order", "value", "currency"]) o && o[k] != null && p.set(k, o[k]);
    return verb == "convert" && navigator.sendBeacon(new URL("c.gif", s.src), p);
  };
  "convert" in a && linktrack("convert", a);
})(document, location);
