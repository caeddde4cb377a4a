// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Plan;

namespace Weft.Proxy.Telemetry;

/// <summary>Writes Istio's labels of a series; done once for each series.</summary>
internal sealed class SeriesLabels(WorkloadNamePlan own)
{
    private const string Unknown = "unknown";

    private static readonly WorkloadNamePlan _nobody = new("", "", "", "", "", "", "", "");

    public string Write(in SeriesKey key)
    {
        var isSource = key.Direction == TrafficDirection.Outbound;
        var peer = key.Peer ?? _nobody;
        var source = isSource ? own : peer;
        var destination = isSource ? peer : own;
        var text = new StringBuilder(1024);
        Label(text, "reporter", isSource ? "source" : "destination");
        Label(text, "source_workload", source.Workload);
        Label(text, "source_canonical_service", source.CanonicalService);
        Label(text, "source_canonical_revision", Revision(source));
        Label(text, "source_workload_namespace", source.Namespace);
        Label(text, "source_principal", isSource ? key.OwnPrincipal : key.PeerPrincipal);
        Label(text, "source_app", source.App);
        Label(text, "source_version", source.Version);
        Label(text, "source_cluster", source.Cluster);
        Label(text, "destination_workload", destination.Workload);
        Label(text, "destination_workload_namespace", destination.Namespace);
        Label(text, "destination_principal", isSource ? key.PeerPrincipal : key.OwnPrincipal);
        Label(text, "destination_app", destination.App);
        Label(text, "destination_version", destination.Version);
        Service(text, key, destination);
        Label(text, "destination_canonical_service", destination.CanonicalService);
        Label(text, "destination_canonical_revision", Revision(destination));
        Label(text, "destination_cluster", destination.Cluster);
        Label(text, "request_protocol", key.Protocol switch
        {
            SeriesProtocol.Http => "http",
            SeriesProtocol.Grpc => "grpc",
            _ => "tcp",
        });
        if (key.Protocol != SeriesProtocol.Tcp)
        {
            Label(text, "response_code", key.Code.ToString(CultureInfo.InvariantCulture));
            Pair(text, "grpc_response_status", key.GrpcStatus < 0 ? "" : key.GrpcStatus.ToString(CultureInfo.InvariantCulture));
        }

        Label(text, "response_flags", key.Flags);

        // Only the server's side knows for sure what it accepted.
        Label(text, "connection_security_policy", isSource ? Unknown : key.IsMutualTls ? "mutual_tls" : "none");
        return text.ToString();
    }

    private static void Service(StringBuilder text, in SeriesKey key, WorkloadNamePlan destination)
    {
        Label(text, "destination_service", key.Service?.Host ?? key.Host);
        Label(text, "destination_service_name", key.Service?.Name ?? NameOf(key.Cluster));
        Label(text, "destination_service_namespace", key.Service?.Namespace ?? destination.Namespace);
    }

    /// <summary>Clusters of no service have a name that says what they are; the others' names are for machines.</summary>
    private static string NameOf(string cluster) => cluster.Contains('|', StringComparison.Ordinal) ? "" : cluster;

    /// <summary>Istio says latest of every workload without a version, known or not.</summary>
    private static string Revision(WorkloadNamePlan names) =>
        names.CanonicalRevision.Length == 0 ? "latest" : names.CanonicalRevision;

    private static void Label(StringBuilder text, string name, string value) =>
        Pair(text, name, value.Length == 0 ? Unknown : value);

    private static void Pair(StringBuilder text, string name, string value)
    {
        text.Append(text.Length == 0 ? "" : ",").Append(name).Append("=\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append(@"\n"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
