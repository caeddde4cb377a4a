// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Cli.Output;

/// <summary>Where results (<see cref="Out"/>) and narration (<see cref="Error"/>) go, and how they may look there.</summary>
internal sealed class Terminal(TextWriter output, TextWriter error, bool outIsTerminal, bool errorIsTerminal, Func<string, string?> environment)
{
    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    public bool OutIsTerminal { get; } = outIsTerminal;

    public bool ErrorIsTerminal { get; } = errorIsTerminal && environment("TERM") is not (null or "dumb");

    public string Ok => Paint("32", IsUtf8 ? "✓" : "ok");

    public string Bad => Paint("31", IsUtf8 ? "✗" : "x");

    public string Warning => Paint("33", "!");

    public string Waiting => IsUtf8 ? "…" : "...";

    private bool IsUtf8 { get; } = new[] { environment("LC_ALL"), environment("LC_CTYPE"), environment("LANG") }
        .FirstOrDefault(value => !string.IsNullOrEmpty(value)) is not { } locale
        || locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase);

    private bool HasColour { get; } = string.IsNullOrEmpty(environment("NO_COLOR")) && environment("TERM") != "dumb"
        && (errorIsTerminal || environment("CLICOLOR_FORCE") is not (null or "" or "0"));

    public static Terminal Open() => new(
        Console.Out,
        Console.Error,
        !Console.IsOutputRedirected,
        !Console.IsErrorRedirected,
        Environment.GetEnvironmentVariable);

    public string Bold(string text) => Paint("1", text);

    public string Dim(string text) => Paint("2", text);

    /// <summary>One line for the person who watches.</summary>
    public void Say(string line) => Error.Write(line + "\n");

    /// <summary>The fact, and on the next line the cure.</summary>
    public void Fail(string fact, string? cure)
    {
        Say($"{Bad} {fact}");
        if (cure is not null)
        {
            Say("  " + cure.Replace("\n", "\n  ", StringComparison.Ordinal));
        }
    }

    public static string Seconds(TimeSpan took) => string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds:0.0}s");

    private string Paint(string code, string text) => HasColour ? $"\e[{code}m{text}\e[0m" : text;
}
