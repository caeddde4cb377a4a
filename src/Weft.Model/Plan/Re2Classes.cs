// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>RE2's named character classes, which are ASCII, as ranges for use inside of brackets.</summary>
internal static class Re2Classes
{
    private const string Digit = "0-9";
    private const string NotDigit = @"\u0000-/:-\uFFFF";
    private const string Space = @"\t\n\f\r\u0020";
    private const string NotSpace = @"\u0000-\u0008\u000B\u000E-\u001F!-\uFFFF";
    private const string Word = "0-9A-Za-z_";
    private const string NotWord = @"\u0000-/:-@\u005B-\u005E\u0060\u007B-\uFFFF";

    /// <summary>The ranges of \d, \s, \w and their opposites; null for any other letter.</summary>
    public static string? OfEscape(char letter) => letter switch
    {
        'd' => Digit,
        'D' => NotDigit,
        's' => Space,
        'S' => NotSpace,
        'w' => Word,
        'W' => NotWord,
        _ => null,
    };

    /// <summary>The ranges of <c>[:name:]</c> and of <c>[:^name:]</c>; null for an unknown name.</summary>
    public static string? OfName(string name) => name switch
    {
        "alnum" => "0-9A-Za-z",
        "^alnum" => @"\u0000-/:-@\u005B-\u0060\u007B-\uFFFF",
        "alpha" => "A-Za-z",
        "^alpha" => @"\u0000-@\u005B-\u0060\u007B-\uFFFF",
        "ascii" => @"\u0000-\u007F",
        "^ascii" => @"\u0080-\uFFFF",
        "blank" => @"\t\u0020",
        "^blank" => @"\u0000-\u0008\u000A-\u001F!-\uFFFF",
        "cntrl" => @"\u0000-\u001F\u007F",
        "^cntrl" => @"\u0020-\u007E\u0080-\uFFFF",
        "digit" => Digit,
        "^digit" => NotDigit,
        "graph" => "!-~",
        "^graph" => @"\u0000-\u0020\u007F-\uFFFF",
        "lower" => "a-z",
        "^lower" => @"\u0000-\u0060\u007B-\uFFFF",
        "print" => @"\u0020-~",
        "^print" => @"\u0000-\u001F\u007F-\uFFFF",
        "punct" => @"!-/:-@\u005B-\u0060\u007B-~",
        "^punct" => @"\u0000-\u00200-9A-Za-z\u007F-\uFFFF",
        "space" => @"\t-\r\u0020",
        "^space" => @"\u0000-\u0008\u000E-\u001F!-\uFFFF",
        "upper" => "A-Z",
        "^upper" => @"\u0000-@\u005B-\uFFFF",
        "word" => Word,
        "^word" => NotWord,
        "xdigit" => "0-9A-Fa-f",
        "^xdigit" => @"\u0000-/:-@G-\u0060g-\uFFFF",
        _ => null,
    };
}
