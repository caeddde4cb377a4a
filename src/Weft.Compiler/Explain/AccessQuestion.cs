// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Explain;

/// <summary>What policies look at, of a caller and what it asks for.</summary>
/// <param name="Principal">With its scheme; empty without mutual TLS.</param>
/// <param name="Source">The caller's address; empty if it is not known.</param>
/// <param name="Port">Of the workload.</param>
/// <param name="Request">Null where only the connection is seen.</param>
public sealed record AccessQuestion(string Principal, string Source, int Port, RequestDescription? Request);
