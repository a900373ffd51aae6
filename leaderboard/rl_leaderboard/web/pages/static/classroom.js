// The pages work without this file. With it, they follow what happens.
"use strict";
