// Keeps the newest click that led here, and reports what it led to.
(function (d, l) {
  var s = d.currentScript, a = s.dataset,
    click = (d.cookie.match(/(?:^|; )linktrack_click=(\w+)/) || "")[1] || "",
    landed = (l.search.match(/.*[?&]lt_click=([0-9a-f]{32}\w+)/) || "")[1] || "";
  if (landed > click && parseInt(landed.slice(0, 12), 16) < Date.now() + 864e5) // they begin with their time
    d.cookie = "linktrack_click=" + (click = landed) + ";path=/;max-age=2592000;samesite=lax" +
      (l.protocol == "https:" ? ";secure" : "") + (a.domain ? ";domain=" + a.domain : "");
  window.linktrack = function (verb, o) {
    var p = new URLSearchParams({ click: click });
    for (var k of ["order", "value", "currency"]) o && o[k] != null && p.set(k, o[k]);
    return verb == "convert" && navigator.sendBeacon(s.src.replace(/c\.js.*/, "c.gif"), p);
  };
  "convert" in a && linktrack("convert", a);
})(document, location);
