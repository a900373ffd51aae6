"""The colours of a winter afternoon. Red, green and blue from 0 to 255.

The two teams wear Okabe and Ito's blue and vermilion, which colour-blind viewers tell apart; they differ in lightness
too, for those who see greys.
"""

from typing import Final, NamedTuple

Colour = tuple[int, int, int]

WHITE: Final = (255, 255, 255)
INK: Final = (44, 58, 78)
SHADOW: Final = (58, 84, 122)

SNOW_BRIGHT: Final = (240, 246, 251)
SNOW_DIM: Final = (222, 233, 243)
SNOW_OUTSIDE: Final = (203, 219, 233)
DRIFT_BRIGHT: Final = (255, 255, 255)
DRIFT_DIM: Final = (172, 194, 218)
BLOCK_BRIGHT: Final = (252, 254, 255)
BLOCK_DIM: Final = (190, 208, 227)
FRONTIER: Final = (120, 92, 160)

SKIN: Final = (246, 214, 186)
FUR: Final = (255, 250, 240)
CHEEK: Final = (240, 160, 140)
EMPTY: Final = (176, 190, 206)
PANEL_DIM: Final = (232, 240, 248)

FIR_DARK: Final = (46, 92, 88)
FIR_LIGHT: Final = (88, 136, 124)

TARGET_STRIPE: Final = (0, 148, 116)
TARGET_EDGE: Final = (0, 104, 84)

RAY_MISS: Final = (150, 160, 175)
RAY_WALL: Final = (104, 120, 142)
RAY_SHELTER: Final = (0, 140, 168)
RAY_FRONTIER: Final = FRONTIER
RAY_HOSTILE: Final = (200, 30, 90)
RAY_SNOWBALL: Final = (214, 140, 0)


class TeamColours(NamedTuple):
    """What a team wears.

    Attributes:
        coat: The lit side of the body, and the team's colour elsewhere.
        coat_shade: The side away from the light.
        hat: Lit side of the hat, and of the mittens.
        hat_shade: Shaded side of the hat.
        trail: What its snowballs leave in the air.
    """

    coat: Colour
    coat_shade: Colour
    hat: Colour
    hat_shade: Colour
    trail: Colour


TEAMS: Final = (
    TeamColours((40, 134, 204), (0, 84, 146), (22, 78, 132), (8, 46, 88), (116, 178, 226)),
    TeamColours((240, 134, 58), (200, 82, 14), (172, 60, 12), (122, 34, 4), (250, 178, 122)),
)
