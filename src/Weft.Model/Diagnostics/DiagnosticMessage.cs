// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Model.Diagnostics;

/// <summary>One entry of api/diagnostics.yaml: the number, the sentence with named gaps, and the cure.</summary>
/// <param name="Id">WEFT and four digits.</param>
/// <param name="Severity">See <see cref="Diagnostics.Severity"/>.</param>
/// <param name="Fact">A sentence; <c>{name}</c> is a gap.</param>
/// <param name="Cure">What to do; may repeat gaps of the fact.</param>
/// <param name="Help">The longer explanation.</param>
/// <param name="Istio">The code that Istio's analyzers have for it; null if they have none.</param>
public sealed record DiagnosticMessage(string Id, Severity Severity, string Fact, string? Cure, string Help, string? Istio = null)
{
    /// <summary>Longest argument that is printed in full; what operators write can be megabytes long.</summary>
    public const int MaxArgumentLength = 200;

    /// <summary>Fills the gaps, in the order in which they first appear in the fact and then in the cure.</summary>
    public Diagnostic At(Origin origin, params ReadOnlySpan<string> arguments)
    {
        var names = new List<string>();
        var fact = Fill(Fact, names, arguments);
        var cure = Cure is null ? null : Fill(Cure, names, arguments);
        return new Diagnostic(Id, Severity, origin, fact, cure);
    }

    private string Fill(string template, List<string> names, ReadOnlySpan<string> arguments)
    {
        var text = new StringBuilder(template.Length + 32);
        var rest = template.AsSpan();
        while (rest.IndexOf('{') is var open && open >= 0)
        {
            var close = rest.IndexOf('}');
            text.Append(rest[..open]);
            var name = rest[(open + 1)..close].ToString();
            var index = names.IndexOf(name);
            if (index < 0)
            {
                index = names.Count;
                names.Add(name);
            }

            if (index >= arguments.Length)
            {
                throw new ArgumentException($"{Id} needs a value for '{name}'.", nameof(arguments));
            }

            AppendPrintable(text, arguments[index]);
            rest = rest[(close + 1)..];
        }

        return text.Append(rest).ToString();
    }

    /// <summary>Control characters are shown as escapes, so that a value can forge neither a line nor a terminal's colours.</summary>
    private static void AppendPrintable(StringBuilder text, string value)
    {
        foreach (var c in value.AsSpan(0, Math.Min(value.Length, MaxArgumentLength)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029')
            {
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                text.Append(c);
            }
        }

        if (value.Length > MaxArgumentLength)
        {
            text.Append(CultureInfo.InvariantCulture, $"… ({value.Length} characters)");
        }
    }
}
