// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Tests.Sources;

/// <summary>A change of one object of a small mesh. The variant says everything about the object; a negative one is its deletion.</summary>
internal sealed record MeshChange(string Kind, string Namespace, int Number, int Variant)
{
    private static readonly string[] _namespaces = ["shop", "shop", "bank", "istio-system"];

    private static readonly (string Kind, int Count)[] _kinds =
    [
        ("Service", 6), ("EndpointSlice", 8), ("Pod", 4), ("VirtualService", 10), ("DestinationRule", 8), ("ServiceEntry", 4), ("Gateway", 2),
        ("Sidecar", 2), ("AuthorizationPolicy", 3), ("PeerAuthentication", 2),
    ];

    public static MeshChange Random(Random random)
    {
        var (kind, count) = _kinds[random.Next(_kinds.Length)];
        return new(kind, _namespaces[random.Next(_namespaces.Length)], random.Next(count), random.Next(4) == 0 ? -1 : random.Next(1000));
    }

    public ResourceKind ResourceKind => Kinds.All.Single(k => k.Kind == Kind);

    public string Name => Kind == "EndpointSlice" ? $"s{Number % 6}-{Number}" : $"s{Number}";

    public override string ToString() => Variant < 0 ? $"delete {Kind} {Namespace}/{Name}" : $"apply {Object.ToJsonString()}";

    /// <summary>The object after the change; of one that is deleted what names it.</summary>
    public JsonObject Object => JsonNode.Parse(string.Create(
        CultureInfo.InvariantCulture,
        $$$"""
        {"apiVersion":"{{{Version}}}","kind":"{{{Kind}}}",
         "metadata":{"name":"{{{Name}}}","namespace":"{{{Namespace}}}","resourceVersion":"{{{Variant + 2}}}",
           "creationTimestamp":"2026-01-0{{{1 + (Number % 3)}}}T00:00:00Z",{{{Labels}}}"uid":"u{{{Number}}}"},
         {{{(Variant < 0 ? "\"spec\":{}" : Body)}}} }
        """))!.AsObject();

    private string Version => ResourceKind.Group.Length == 0 ? ResourceKind.Version : $"{ResourceKind.Group}/{ResourceKind.Version}";

    private string Labels => Kind switch
    {
        "Pod" => $$$"""
            "labels":{"app":"s{{{Number}}}","version":"v{{{Pick(2)}}}","istio":"ingressgateway"},{{{(Has(1) ? "\"annotations\":{\"sidecar.istio.io/status\":\"{}\"}," : "")}}}
            """,
        "EndpointSlice" => $$$"""
            "labels":{"kubernetes.io/service-name":"s{{{Number % 6}}}"},
            """,
        _ => "",
    };

    private string Body => Kind switch
    {
        "Service" => Service,
        "EndpointSlice" => Slice,
        "Pod" => $$$"""
            "spec":{"serviceAccountName":"a{{{Pick(2)}}}","nodeName":"n1","containers":[{"name":"app","image":"i"}]},
            "status":{"phase":"Running","podIP":"10.1.{{{Place}}}.{{{Number}}}"}
            """,
        "VirtualService" => VirtualService,
        "DestinationRule" => DestinationRule,
        "ServiceEntry" => Entry,
        "Gateway" => $$$"""
            "spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":{{{80 + (Pick(2) * 8000)}}},"name":"http","protocol":"HTTP"},"hosts":["{{{(Has(2) ? "*" : $"s{Pick(6)}.{Namespace}.svc.cluster.local")}}}"]}]}
            """,
        "Sidecar" => $$$"""
            "spec":{ {{{(Has(1) ? $"\"workloadSelector\":{{\"labels\":{{\"app\":\"s{Pick(4)}\"}}}}," : "")}}}{{{(Has(4) ? "\"outboundTrafficPolicy\":{\"mode\":\"REGISTRY_ONLY\"}," : "")}}}
              "egress":[{"hosts":["{{{(Has(2) ? "./*" : $"*/s{Pick(6)}.{Any}.svc.cluster.local")}}}","istio-system/*"]}]}
            """,
        "AuthorizationPolicy" => $$$"""
            "spec":{ {{{(Has(1) ? $"\"selector\":{{\"matchLabels\":{{\"app\":\"s{Pick(4)}\"}}}}," : "")}}}"action":"{{{(Has(2) ? "ALLOW" : "DENY")}}}","rules":[{"to":[{"operation":{"paths":["/{{{Pick(5)}}}"]}}]}]}
            """,
        _ => $$$"""
            "spec":{ {{{(Has(1) ? $"\"selector\":{{\"matchLabels\":{{\"app\":\"s{Pick(4)}\"}}}}," : "")}}}"mtls":{"mode":"{{{(Has(2) ? "STRICT" : Has(4) ? "DISABLE" : "PERMISSIVE")}}}"}}
            """,
    };

    private string Service => $$$"""
        "spec":{ {{{(Has(1) || Has(2) || Has(4) ? $"\"clusterIP\":\"10.96.{Place}.{Number + 1}\"" : "\"clusterIP\":\"None\"")}}},"ports":[{"name":"{{{Protocol}}}","port":{{{(Has(8) ? 80 : 9000 + Number)}}},"targetPort":8080}
          {{{(Has(16) ? ",{\"name\":\"tcp-more\",\"port\":5432,\"targetPort\":5432}" : "")}}}]}
        """;

    private string Protocol => Pick(5) switch { 0 or 1 => "http", 2 => "grpc", 3 => "tcp", _ => "any" };

    private string Slice => $$$"""
        "addressType":"IPv4","ports":[{"name":"http","port":8080},{"name":"grpc","port":8080},{"name":"tcp","port":8080},{"name":"any","port":8080},{"name":"tcp-more","port":5432}],
        "endpoints":[{"addresses":["10.1.{{{Place}}}.{{{Pick(4)}}}"],"conditions":{"ready":{{{(Has(1) ? "true" : "false")}}} },"targetRef":{"kind":"Pod","name":"s{{{Pick(4)}}}","namespace":"{{{Namespace}}}"}}
          {{{(Has(2) ? $",{{\"addresses\":[\"10.1.9.{Pick(9)}\"],\"conditions\":{{\"ready\":true}}}}" : "")}}}]
        """;

    private string VirtualService => $$$"""
        "spec":{ {{{(IsDelegate ? "" : $"\"hosts\":[\"{Host}\"{More}],")}}}{{{(Has(2) || IsDelegate ? "" : $"\"gateways\":[\"mesh\",\"{Any}/s{Pick(2)}\"],")}}}{{{(Has(32) ? "\"exportTo\":[\".\"]," : "")}}}
          {{{(Has(64) && !IsDelegate ? $"\"tcp\":[{{\"route\":[{{\"destination\":{{\"host\":\"s{Pick(6)}\"}}}}]}}]," : "")}}}
          "http":[{"match":[{"headers":{"x":{"exact":"{{{Variant}}}"}}{{{(Has(4) ? $",\"sourceLabels\":{{\"app\":\"s{Pick(4)}\"}}" : "")}}} }],"route":[{"destination":{"host":"s{{{Pick(6)}}}","subset":"v{{{Pick(2)}}}"}}]},
                  {{{(Has(128) && !IsDelegate ? $"{{\"match\":[{{\"uri\":{{\"prefix\":\"/d\"}}}}],\"delegate\":{{\"name\":\"s{Pick(10)}\",\"namespace\":\"{Namespace}\"}}}}," : "")}}}
                  {"route":[{"destination":{"host":"s{{{Pick(7)}}}.{{{Any}}}.svc.cluster.local"}}]}]}
        """;

    private bool IsDelegate => Has(1) && Has(8);

    private string More => Has(16) ? $",\"s{6 + Pick(5)}\"" : "";

    private string Host => Pick(6) switch
    {
        0 => $"*.{Any}.svc.cluster.local",
        1 => $"e{Pick(4)}.example.com",
        2 => $"unknown{Pick(3)}.example.com",
        _ => $"s{Pick(6)}.{Any}.svc.cluster.local",
    };

    private string DestinationRule => $$$"""
        "spec":{"host":"{{{Host}}}",{{{(Has(1) ? "\"trafficPolicy\":{\"loadBalancer\":{\"consistentHash\":{\"httpHeaderName\":\"h\"}},\"connectionPool\":{\"tcp\":{\"idleTimeout\":\"5s\"}}}," : "")}}}
          {{{(Has(2) ? "\"exportTo\":[\".\"]," : "")}}}{{{(Has(4) && !Has(1) ? "\"trafficPolicy\":{\"outlierDetection\":{\"consecutive5xxErrors\":3}}," : "")}}}
          "subsets":[{"name":"v{{{Pick(2)}}}","labels":{"version":"v{{{Pick(2)}}}"}}]}
        """;

    private string Entry => $$$"""
        "spec":{"hosts":["e{{{Pick(4)}}}.example.com"],"location":"{{{(Has(1) ? "MESH_INTERNAL" : "MESH_EXTERNAL")}}}","resolution":"{{{(Has(2) ? "DNS" : "STATIC")}}}",
          {{{(Has(4) ? "\"exportTo\":[\".\"]," : "")}}}{{{(Has(8) ? $"\"addresses\":[\"10.97.0.{Number}\"]," : "")}}}
          "ports":[{"number":{{{(Has(16) ? 80 : 443)}}},"name":"p","protocol":"{{{(Has(32) ? "HTTP" : Has(64) ? "TLS" : "TCP")}}}"}],"endpoints":[{"address":"10.2.0.{{{Pick(5)}}}"}]}
        """;

    private int Place => Array.IndexOf(_namespaces, Namespace);

    private string Any => _namespaces[Pick(_namespaces.Length)];

    private bool Has(int bit) => ((Variant * 2654435761L) >> 8 & bit) != 0;

    /// <summary>One of so many, another each time it is asked for another number of choices.</summary>
    private int Pick(int choices) => (int)((((Variant + 1) * 40503L) >> 4) % (choices * 7L) % choices);
}
