// SPDX-License-Identifier: Apache-2.0

using System.IO.Enumeration;
using Weft.Cli.Output;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Asking;

/// <summary>A finding that nobody wants to hear of: <c>CODE=KIND NAME.NAMESPACE</c>, with <c>*</c> in the second part.</summary>
internal sealed record Suppression(string Code, string Pattern)
{
    public static Suppression Read(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && equals < text.Length - 1
            ? new Suppression(text[..equals].ToUpperInvariant(), text[(equals + 1)..].Trim())
            : throw new CommandException(ExitCode.WrongUsage, $"'{text}' is no suppression.", "Write  -S 'IST0102=Namespace default'  or  -S 'IST0103=Pod *.testing'");
    }

    public bool Covers(Diagnostic finding)
    {
        var name = finding.Origin.Namespace.Length == 0 ? finding.Origin.Name : $"{finding.Origin.Name}.{finding.Origin.Namespace}";
        return (Code == finding.Id || Code == IstioCodes.Of(finding).Code)
            && FileSystemName.MatchesSimpleExpression(Pattern, $"{finding.Origin.Kind} {name}", ignoreCase: false);
    }
}
