// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Compiler;

/// <summary>What one proxy must do, and what was found wrong with the intents on the way (mesh-wide, not only this client's).</summary>
public sealed record CompiledPlan(ProxyPlan Plan, EquatableArray<Diagnostic> Diagnostics);
