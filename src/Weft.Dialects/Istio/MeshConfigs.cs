// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>MeshConfig: the text under the key <c>mesh</c> of the ConfigMap <c>istio</c>.</summary>
internal static class MeshConfigs
{
    private static readonly Choices<bool> _modes = new(("REGISTRY_ONLY", false), ("ALLOW_ANY", true));

    private static readonly Choices<bool> _inbound = new(("PASSTHROUGH", false), ("LOCALHOST", true));

    private static readonly Choices<HttpUpgrade> _upgrades = new(("DO_NOT_UPGRADE", HttpUpgrade.AsDeclared), ("UPGRADE", HttpUpgrade.Http2));

    /// <summary>Reading a choice needs a value type, so that the forms stand in a list.</summary>
    private static readonly PathPlan[] _paths = [PathPlan.Basic, PathPlan.Verbatim, PathPlan.Merged, PathPlan.Decoded];

    private static readonly Choices<int> _forms = new(("DEFAULT", 0), ("BASE", 0), ("NONE", 1), ("MERGE_SLASHES", 2), ("DECODE_AND_MERGE_SLASHES", 3));

    /// <summary>Fields that Istio has and that do nothing here yet.</summary>
    private static readonly string[] _others =
    [
        "accessLogFile", "accessLogEncoding", "accessLogFormat", "enableTracing", "enableEnvoyAccessLogService", "disableEnvoyListenerLog",
        "ingressService", "ingressSelector", "ingressControllerMode", "ingressClass", "caCertificates", "proxyHttpPort",
        "inboundClusterStatName", "outboundClusterStatName", "discoverySelectors", "serviceScopeConfigs", "extensionProviders", "defaultProviders",
        "defaultInboundHttpRetryPolicy", "meshMTLS", "tlsDefaults", "defaultTrafficPolicy", "configSources", "certificates", "ca",
        "serviceEntryVisibility",
    ];

    /// <summary>What the mesh is made with: these values and no others.</summary>
    private static readonly (string Field, string Value)[] _fixed =
    [
        ("trustDomain", "cluster.local"), ("rootNamespace", MeshSettings.Default.RootNamespace), ("proxyListenPort", "15001"), ("proxyInboundListenPort", "15006"),
    ];

    /// <summary>Findings name the fields inside the text; their place is that of the text. Null if it is no object, which is reported elsewhere.</summary>
    public static MeshConfigSpec? Read(Field text)
    {
        if (text.AsText() is not { } written || YamlReader.Read("", written) is not [{ Root: YamlMapping root, Diagnostics: [] }])
        {
            return null;
        }

        var inner = new Findings(text.Findings.Origin);
        var reader = new ObjectReader(inner, "", root);
        var spec = Read(reader);
        foreach (var found in inner.Found)
        {
            text.Findings.Add(found with { Origin = text.Findings.Origin.At($"{text.Path}: {found.Origin.Path}", text.Place.Position) });
        }

        return spec;
    }

    private static MeshConfigSpec Read(ObjectReader mesh)
    {
        bool? allows = null;
        if (mesh.Child("outboundTrafficPolicy") is { } policy)
        {
            allows = policy.Choice("mode", _modes) ?? false;
            policy.Finish();
        }

        var spec = new MeshConfigSpec(
            allows,
            mesh.DurationMs("connectTimeout"),
            mesh.DurationMs("dnsRefreshRate"),
            mesh.Boolean("enableAutoMtls"),
            mesh.Child("localityLbSetting") is { } localities ? LocalitySettings.Read(localities) : null)
        {
            InspectTimeoutMs = mesh.DurationMs("protocolDetectionTimeout", minimumMs: 0),
            TcpKeepAlive = mesh.Child("tcpKeepalive") is { } keep ? ConnectionPools.ReadKeepAlive(keep) : null,
            Upgrade = mesh.Choice("h2UpgradePolicy", _upgrades),
            Retries = mesh.Child("defaultHttpRetryPolicy") is { } retries ? RetryPolicies.Read(retries) : null,
            Path = ReadPath(mesh),
            TrustDomainAliases = mesh.Has("trustDomainAliases") ? [.. mesh.Texts("trustDomainAliases").Select(text => text.Key)] : null,
            InboundToLoopback = mesh.Child("inboundTrafficPolicy") is { } inbound ? ReadInbound(inbound) : null,
            Exports = new ExportDefaults(
                ReadExport(mesh, "defaultServiceExportTo"), ReadExport(mesh, "defaultVirtualServiceExportTo"), ReadExport(mesh, "defaultDestinationRuleExportTo")),
        };

        // The first is laid under each pod's own settings when the pod gets its proxy. A mesh of one cluster has no other that a service
        // could be hidden from; metrics of applications are scraped from them, and the last does nothing upstream.
        mesh.Ignore("defaultConfig", "serviceSettings", "enablePrometheusMerge", "verifyCertificateAtClient");
        CheckFixed(mesh);
        mesh.NotSupported(_others);
        mesh.Finish(ReadingMessages.UnknownMeshField);
        return spec;
    }

    private static void CheckFixed(ObjectReader mesh)
    {
        foreach (var (name, value) in _fixed)
        {
            if (mesh.Find(name) is { } field && (field.Value as YamlScalar)?.Value != value)
            {
                field.Report(IstioMessages.FixedMeshField, name, value);
            }
        }
    }

    private static PathPlan? ReadPath(ObjectReader mesh)
    {
        if (mesh.Child("pathNormalization") is not { } path)
        {
            return null;
        }

        var form = path.Choice("normalization", _forms);
        path.Finish();
        return form is { } number ? _paths[number] : null;
    }

    private static bool? ReadInbound(ObjectReader policy)
    {
        var loopback = policy.Choice("mode", _inbound);
        policy.Finish();
        return loopback;
    }

    private static EquatableArray<string> ReadExport(ObjectReader mesh, string name)
    {
        var namespaces = new List<string>();
        foreach (var (text, field) in mesh.Texts(name))
        {
            if (text is not ("*" or ".") && NameRules.LabelProblem(text) is { } problem)
            {
                field.Report(IstioMessages.BadExportTo, text, problem);
            }
            else
            {
                namespaces.Add(text);
            }
        }

        return namespaces.ToEquatableArray();
    }
}
