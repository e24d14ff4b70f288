// Whether the screen is narrow: as the style sheets say it, in their `@media (max-width: 900px)`.

export const narrowScreen = matchMedia('(max-width: 900px)');
