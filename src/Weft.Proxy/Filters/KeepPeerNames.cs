// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>
/// Reads how the calling workload names itself, from the header that its proxy adds to the first request of a connection. The names are for
/// metrics only; who the peer really is, only its certificate says.
/// </summary>
internal sealed class KeepPeerNames : Stage
{
    /// <summary>A longer header is not read.</summary>
    internal const int SizeLimit = 2048;

    private const int FieldCount = 8;

    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Client.PeerNames is null &&
            exchange.Request.TryGet(KnownHeader.XEnvoyPeerMetadata, exchange.RequestBytes, out var text))
        {
            exchange.Client.PeerNames = exchange.Loop.PeerNames.Find(text);
        }

        return StageResult.Continue;
    }

    internal static WorkloadNamePlan? Parse(ReadOnlySpan<byte> text)
    {
        if (text.Length > SizeLimit)
        {
            return null;
        }

        var parts = Encoding.UTF8.GetString(text).Split(';');
        return parts.Length != FieldCount
            ? null
            : new WorkloadNamePlan(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7]);
    }

    internal static byte[] Encode(WorkloadNamePlan names) => Encoding.UTF8.GetBytes(string.Join(
        ';',
        Clean(names.Workload),
        Clean(names.Namespace),
        Clean(names.CanonicalService),
        Clean(names.CanonicalRevision),
        Clean(names.Cluster),
        Clean(names.ServiceAccount),
        Clean(names.App),
        Clean(names.Version)));

    private static string Clean(string name) => name.Replace(';', '_').ReplaceLineEndings("_");
}
