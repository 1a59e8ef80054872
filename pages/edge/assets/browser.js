// Written for the oldest browsers: those that cannot run Streamlit are told so instead of showing a blank page.
(function () {
  var canRun = [].toSorted && Object.hasOwn && window.CSS && CSS.supports && CSS.supports("selector(:has(a))");
  if (canRun) return;
  window.onload = function () {
    document.body.innerHTML =
      '<div style="margin:15% auto;max-width:40em;padding:0 1em;font:18px/1.8 Microsoft YaHei,sans-serif;text-align:center">' +
      "<h1>约检台</h1><p>浏览器版本过低，无法使用本系统。</p>" +
      "<p>请使用谷歌浏览器（110 及以上版本）、火狐浏览器（121 及以上版本），或 360 浏览器的极速模式。</p></div>";
  };
})();
