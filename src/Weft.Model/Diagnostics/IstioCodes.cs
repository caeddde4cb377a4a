// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Diagnostics;

/// <summary>The codes of Istio's analyzers that are printed here, with the names and levels that Istio gives them.</summary>
public static class IstioCodes
{
    /// <summary>What a finding of reading is called that has no code of its own.</summary>
    public const string SchemaError = "IST0106";

    /// <summary>The same for a warning.</summary>
    public const string SchemaWarning = "IST0133";

    private static readonly Dictionary<string, (string Name, Severity Level)> _codes = new(StringComparer.Ordinal)
    {
        ["IST0002"] = ("Deprecated", Severity.Warning),
        ["IST0101"] = ("ReferencedResourceNotFound", Severity.Error),
        ["IST0102"] = ("NamespaceNotInjected", Severity.Info),
        ["IST0103"] = ("PodMissingProxy", Severity.Warning),
        [SchemaError] = ("SchemaValidationError", Severity.Error),
        ["IST0107"] = ("MisplacedAnnotation", Severity.Warning),
        ["IST0108"] = ("UnknownAnnotation", Severity.Warning),
        ["IST0109"] = ("ConflictingMeshGatewayVirtualServiceHosts", Severity.Error),
        ["IST0110"] = ("ConflictingSidecarWorkloadSelectors", Severity.Error),
        ["IST0111"] = ("MultipleSidecarsWithoutWorkloadSelectors", Severity.Error),
        ["IST0112"] = ("VirtualServiceDestinationPortSelectorRequired", Severity.Error),
        ["IST0116"] = ("DeploymentAssociatedToMultipleServices", Severity.Warning),
        ["IST0118"] = ("PortNameIsNotUnderNamingConvention", Severity.Info),
        ["IST0123"] = ("NamespaceMultipleInjectionLabels", Severity.Warning),
        ["IST0125"] = ("InvalidAnnotation", Severity.Warning),
        ["IST0128"] = ("NoServerCertificateVerificationDestinationLevel", Severity.Warning),
        ["IST0129"] = ("NoServerCertificateVerificationPortLevel", Severity.Warning),
        ["IST0130"] = ("VirtualServiceUnreachableRule", Severity.Warning),
        ["IST0131"] = ("VirtualServiceIneffectiveMatch", Severity.Info),
        ["IST0132"] = ("VirtualServiceHostNotFoundInGateway", Severity.Warning),
        [SchemaWarning] = ("SchemaWarning", Severity.Warning),
        ["IST0135"] = ("DeprecatedAnnotation", Severity.Info),
        ["IST0137"] = ("DeploymentConflictingPorts", Severity.Warning),
        ["IST0138"] = ("GatewayDuplicateCertificate", Severity.Warning),
        ["IST0140"] = ("IngressRouteRulesNotAffected", Severity.Warning),
        ["IST0144"] = ("InvalidApplicationUID", Severity.Warning),
        ["IST0145"] = ("ConflictingGateways", Severity.Error),
        ["IST0146"] = ("ImageAutoWithoutInjectionWarning", Severity.Warning),
        ["IST0147"] = ("ImageAutoWithoutInjectionError", Severity.Error),
        ["IST0150"] = ("ExternalNameServiceTypeInvalidPortName", Severity.Warning),
        ["IST0151"] = ("EnvoyFilterUsesRelativeOperation", Severity.Warning),
        ["IST0152"] = ("EnvoyFilterUsesReplaceOperationIncorrectly", Severity.Error),
        ["IST0153"] = ("EnvoyFilterUsesAddOperationIncorrectly", Severity.Error),
        ["IST0154"] = ("EnvoyFilterUsesRemoveOperationIncorrectly", Severity.Error),
        ["IST0155"] = ("EnvoyFilterUsesRelativeOperationWithProxyVersion", Severity.Warning),
        ["IST0162"] = ("GatewayPortNotDefinedOnService", Severity.Warning),
        ["IST0165"] = ("ReferencedInternalGateway", Severity.Warning),
        ["IST0173"] = ("DestinationRuleSubsetNotSelectPods", Severity.Error),
        ["IST0174"] = ("UnknownDestinationRuleHost", Severity.Warning),
        ["IST0177"] = ("ConflictingServiceEntryProtocol", Severity.Warning),
    };

    private static readonly Dictionary<string, string> _ofMessage =
        DiagnosticCatalog.All.Where(m => m.Istio is not null).ToDictionary(m => m.Id, m => m.Istio!, StringComparer.Ordinal);

    /// <summary>All of them, in the order of their numbers.</summary>
    public static IEnumerable<string> All => _codes.Keys.Order(StringComparer.Ordinal);

    public static string NameOf(string code) => _codes[code].Name;

    /// <summary>The code and level of a finding as Istio's users know them; its own number and severity where Istio has none.</summary>
    public static (string Code, Severity Level) Of(Diagnostic finding)
    {
        // Reading and Istio objects have no other code: they are what Istio calls the schema.
        var code = _ofMessage.GetValueOrDefault(finding.Id)
            ?? (finding.Origin.Dialect == "istio" && finding.Id[4] is '0' or '2'
                ? finding.Severity == Severity.Error ? SchemaError : SchemaWarning
                : null);
        return code is null ? (finding.Id, finding.Severity) : (code, _codes[code].Level);
    }
}
