// SPDX-License-Identifier: Apache-2.0

using Weft.Model;

namespace Weft.Dialects.Istio;

/// <summary>The kinds of Istio: those that have their effect here, and those that are recognised and reported.</summary>
internal static class IstioDialect
{
    public const string Name = "istio";

    private const string Networking = "networking.istio.io";
    private const string Security = "security.istio.io";

    public static EquatableArray<DialectKind> Kinds { get; } =
    [
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "VirtualService", true, true) { Parse = VirtualServiceKind.Parse },
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "DestinationRule", true, true) { Parse = DestinationRuleKind.Parse },
        new(Name, Security, ["v1", "v1beta1"], "PeerAuthentication", true, true) { Parse = PeerAuthenticationKind.Parse },
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "Gateway", true, true) { Parse = GatewayKind.Parse },
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "ServiceEntry", true, true) { Parse = ServiceEntryKind.Parse },
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "Sidecar", true, true) { Parse = SidecarKind.Parse },
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "WorkloadEntry", true, true) { Parse = WorkloadEntryKind.Parse },
        new(Name, Networking, ["v1", "v1beta1", "v1alpha3"], "WorkloadGroup", true, true) { Parse = WorkloadGroupKind.Parse },
        new(Name, Networking, ["v1alpha3", "v1beta1"], "EnvoyFilter", true, true) { Parse = EnvoyFilterKind.Parse },
        new(Name, Networking, ["v1beta1"], "ProxyConfig", true, true) { Parse = ProxyConfigKind.Parse },
        new(Name, Security, ["v1", "v1beta1"], "AuthorizationPolicy", true, true) { Parse = AuthorizationPolicyKind.Parse },
        new(Name, Security, ["v1", "v1beta1"], "RequestAuthentication", true, false),
        new(Name, "telemetry.istio.io", ["v1", "v1alpha1"], "Telemetry", true, false),
        new(Name, "extensions.istio.io", ["v1alpha1"], "WasmPlugin", true, false) { Parse = WasmPluginKind.Parse },
        new(Name, "install.istio.io", ["v1alpha1"], "IstioOperator", true, false),
    ];
}
