// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Weft.Model.Plan;
using CertificateAction = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;
using UnderscoreAction = Envoy.Config.Core.V3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction;

namespace Weft.Wire.Plans;

/// <summary>What a chain believes of its clients: plan ⇄ HttpConnectionManager.</summary>
internal static class ConnectionTrust
{
    public static void Encode(TrustPlan plan, HttpConnectionManager http)
    {
        http.UseRemoteAddress = plan.IsEdge;
        http.XffNumTrustedHops = (uint)plan.TrustedProxies;
        http.PreserveExternalRequestId = plan.KeepRequestId;
        http.ForwardClientCertDetails = plan.ClientCertificate switch
        {
            ClientCertificateField.ForwardOnly => CertificateAction.ForwardOnly,
            ClientCertificateField.AppendForward => CertificateAction.AppendForward,
            ClientCertificateField.SanitizeSet => CertificateAction.SanitizeSet,
            ClientCertificateField.AlwaysForwardOnly => CertificateAction.AlwaysForwardOnly,
            _ => CertificateAction.Sanitize,
        };
        http.CommonHttpProtocolOptions ??= new HttpProtocolOptions();
        http.CommonHttpProtocolOptions.HeadersWithUnderscoresAction = plan.Underscores switch
        {
            UnderscoreNames.Refuse => UnderscoreAction.RejectRequest,
            UnderscoreNames.Drop => UnderscoreAction.DropHeader,
            _ => UnderscoreAction.Allow,
        };
    }

    public static TrustPlan Decode(DecodeScope scope, HttpConnectionManager http) => new(
        http.UseRemoteAddress ?? false,
        scope.Count(http.XffNumTrustedHops, "xff_num_trusted_hops"),
        http.ForwardClientCertDetails switch
        {
            CertificateAction.ForwardOnly => ClientCertificateField.ForwardOnly,
            CertificateAction.AppendForward => ClientCertificateField.AppendForward,
            CertificateAction.SanitizeSet => ClientCertificateField.SanitizeSet,
            CertificateAction.AlwaysForwardOnly => ClientCertificateField.AlwaysForwardOnly,
            _ => ClientCertificateField.Sanitize,
        },
        http.CommonHttpProtocolOptions?.HeadersWithUnderscoresAction switch
        {
            UnderscoreAction.RejectRequest => UnderscoreNames.Refuse,
            UnderscoreAction.DropHeader => UnderscoreNames.Drop,
            _ => UnderscoreNames.Allow,
        },
        http.PreserveExternalRequestId);
}
