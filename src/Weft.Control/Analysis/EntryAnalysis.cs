// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Control.Analysis;

/// <summary>Entries for one host that disagree.</summary>
internal static class EntryAnalysis
{
    public static IEnumerable<Diagnostic> Run(AnalysisInput input)
    {
        var ports = input.Of("ServiceEntry").Where(o => o.Parsed.Entry is not null)
            .SelectMany(o => o.Parsed.Entry!.Services.SelectMany(s => s.Ports.Select(p => (Object: o, Service: s, Port: p))));
        foreach (var same in ports.GroupBy(p => (p.Service.Host, p.Port.Port)))
        {
            var all = same.ToList();
            foreach (var one in all)
            {
                var other = all.Find(o => o.Port.Protocol != one.Port.Protocol && Overlap(o.Service.Visibility, one.Service.Visibility));
                if (other.Object is not null)
                {
                    yield return CompilerMessages.EntryProtocolsDiffer.At(
                        one.Object.Parsed.Origin,
                        $"ServiceEntry {other.Object.Namespace}/{other.Object.Name}",
                        Word(other.Port.Protocol),
                        same.Key.Port.ToString(CultureInfo.InvariantCulture),
                        same.Key.Host,
                        Word(one.Port.Protocol));
                }
            }
        }
    }

    private static bool Overlap(Model.Intent.Visibility one, Model.Intent.Visibility other) =>
        one.Everybody || other.Everybody || one.Namespaces.Any(other.Includes);

    private static string Word(PortProtocol protocol) => protocol.ToString().ToUpperInvariant();
}
