// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.World;

/// <summary>One of the two gateways of Istio's installation, which a local mesh starts as soon as a Gateway selects it.</summary>
/// <param name="Name">Of its Deployment and its Service.</param>
/// <param name="Role">The value of the label <c>istio</c>, which most Gateways select by.</param>
public sealed record StandardGateway(string Name, string Role)
{
    /// <summary>Where both live.</summary>
    public const string Namespace = "istio-system";

    private static readonly StandardGateway[] _all = [new("istio-ingressgateway", "ingressgateway"), new("istio-egressgateway", "egressgateway")];

    /// <summary>What its pods bear.</summary>
    public EquatableArray<Label> Labels { get; } = [new("app", Name), new("istio", Role)];

    /// <summary>The one that a Gateway's selector means; null for every other, and for one that selects everything.</summary>
    public static StandardGateway? SelectedBy(LabelSelector selector) =>
        selector.MatchLabels.Count == 0 ? null : Array.Find(_all, gateway => selector.Selects(gateway.Labels));
}
