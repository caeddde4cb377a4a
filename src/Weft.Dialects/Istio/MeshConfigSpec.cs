// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>What the mesh's own configuration says; null for what it leaves to the defaults.</summary>
public sealed record MeshConfigSpec(bool? AllowAnyOutbound, int? ConnectTimeoutMs, int? DnsRefreshMs, bool? AutoMtls, LocalityPolicy? Localities);
