// Before the first paint: the appearance this device chose (see src/state/appearance.svelte.ts).
try {
  const chosen = localStorage.getItem('volo-appearance')
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
} catch {
  // Storage can be switched off; then the system decides.
}
