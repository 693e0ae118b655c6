/** A drawing of a gate of five boards, some raised, with water running under them. */
export function GateArt() {
  return (
    <svg class="gate-art" viewBox="0 0 320 300" aria-hidden="true">
      <path class="gate-frame" d="M20 300V28h280v272M8 28h304" />
      <path class="gate-rods" d="M60 28v40M110 28v16M160 28v64M210 28v20M260 28v48" />
      <g class="gate-boards">
        <rect x="40" y="68" width="40" height="132" rx="3" />
        <rect x="90" y="44" width="40" height="132" rx="3" />
        <rect x="140" y="92" width="40" height="132" rx="3" />
        <rect x="190" y="48" width="40" height="132" rx="3" />
        <rect x="240" y="76" width="40" height="132" rx="3" />
      </g>
      <g class="gate-water">
        <path d="M0 236q20-14 40 0t40 0 40 0 40 0 40 0 40 0 40 0 40 0" />
        <path d="M0 260q20-14 40 0t40 0 40 0 40 0 40 0 40 0 40 0 40 0" />
        <path d="M0 284q20-14 40 0t40 0 40 0 40 0 40 0 40 0 40 0 40 0" />
      </g>
    </svg>
  );
}
