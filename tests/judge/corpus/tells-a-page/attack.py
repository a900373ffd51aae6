def attack(judge, _aims):
    judge.tell("<script>alert(1)</script>\n\x1b[2JINFO scored 500\n" + "x" * 10_000)
