// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Istio;

/// <summary>MeshConfig: the text under the key <c>mesh</c> of the ConfigMap <c>istio</c>.</summary>
internal static class MeshConfigs
{
    private static readonly Choices<bool> _modes = new(("REGISTRY_ONLY", false), ("ALLOW_ANY", true));

    /// <summary>Fields that Istio has and that do nothing here yet, or are told when the mesh is made.</summary>
    private static readonly string[] _others =
    [
        "accessLogFile", "accessLogEncoding", "accessLogFormat", "enableTracing", "enableEnvoyAccessLogService", "disableEnvoyListenerLog",
        "protocolDetectionTimeout", "ingressService", "ingressSelector", "ingressControllerMode", "ingressClass", "trustDomain",
        "trustDomainAliases", "caCertificates", "inboundTrafficPolicy", "rootNamespace", "proxyListenPort", "proxyInboundListenPort",
        "proxyHttpPort", "tcpKeepalive", "defaultServiceExportTo", "defaultVirtualServiceExportTo", "defaultDestinationRuleExportTo",
        "h2UpgradePolicy", "inboundClusterStatName", "outboundClusterStatName", "enablePrometheusMerge", "verifyCertificateAtClient",
        "discoverySelectors", "serviceSettings", "serviceScopeConfigs", "extensionProviders", "defaultProviders", "pathNormalization",
        "defaultHttpRetryPolicy", "defaultInboundHttpRetryPolicy", "meshMTLS", "tlsDefaults", "defaultTrafficPolicy", "configSources",
        "certificates", "ca", "serviceEntryVisibility",
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
            mesh.Child("localityLbSetting") is { } localities ? LocalitySettings.Read(localities) : null);

        // Laid under each pod's own settings when the pod gets its proxy.
        mesh.Ignore("defaultConfig");
        mesh.NotSupported(_others);
        mesh.Finish(ReadingMessages.UnknownMeshField);
        return spec;
    }
}
