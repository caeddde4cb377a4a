// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Compiler.Outbound;

/// <summary>The routes of one host at one port, as an object that can be the input of other parts.</summary>
internal sealed record RouteList(EquatableArray<RoutePlan> Routes);
