#!/usr/bin/env python3
"""Holds a source tree to its rules: check_rules.py ROOT [CHECK...]. Exit 0 when it does."""
import sys

import checks


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    tree = checks.Tree(arguments[0])
    wanted = set(arguments[1:])
    unknown = wanted - {check.__name__ for check in checks.ALL}
    if unknown or not tree.files:
        print('unknown check or empty tree:', ', '.join(unknown) or arguments[0], file=sys.stderr)
        return 2
    problems = 0
    for check in checks.ALL:
        if wanted and check.__name__ not in wanted:
            continue
        for problem in check(tree):
            print(f'{check.__name__}: {problem}')
            problems += 1
    print(f'{len(tree.files)} files, {problems} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
