// Whoever was logged out meanwhile is asked to log in, instead of being shown half a page.
document.addEventListener("htmx:before:swap", (event) => {
  if (new URL(event.detail.ctx.response.raw.url).pathname !== "/login") return;
  event.preventDefault();
  location.reload();
});
