// Goes to the address in data-to; only within this site.
(() => {
  const to = document.currentScript.dataset.to || "";
  if (to.startsWith("/auth/")) location.replace(to);
})();
