// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>Where a client is, as far as any policy asks; equal texts of two clients mean equal endpoints.</summary>
internal sealed class ClientPlace(Workload client, IReadOnlyList<string> labels)
{
    private const string Cluster = "topology.istio.io/cluster";

    public string Locality => client.Locality;

    public string Key { get; } = $"{client.Locality}|{string.Join('|', labels.Select(l => $"{l}={Value(client, l)}"))}";

    /// <summary>The client's value of a label.</summary>
    public string Value(string label) => Value(client, label);

    /// <summary>A workload's value of a label, with those that follow from where it runs; empty where there is none.</summary>
    public static string Value(Workload? workload, string label)
    {
        if (workload is null)
        {
            return "";
        }

        var (region, zone, subzone) = Localities.Split(workload.Locality);
        return label switch
        {
            LocalityLabels.Region => region,
            LocalityLabels.Zone => zone,
            LocalityLabels.Subzone => subzone,
            LocalityLabels.Hostname when workload.Node.Length > 0 => workload.Node,
            Cluster => workload.Names.Cluster,
            _ => LocalityLabels.Find(workload.Labels, label),
        };
    }
}
