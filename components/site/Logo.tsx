/** The logo of Sluice: a half-open gate with water under it. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <path class="logo-gate" d="M5 3v15M12.3 3v10M19.7 3v10M27 3v15M5 8h22" />
      <path
        class="logo-water"
        d="M3 22q3.25-3 6.5 0t6.5 0 6.5 0 6.5 0M3 28q3.25-3 6.5 0t6.5 0 6.5 0 6.5 0"
      />
    </svg>
  );
}
