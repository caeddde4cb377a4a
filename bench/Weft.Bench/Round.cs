// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench;

/// <summary>What one round of load measured.</summary>
internal sealed record Round(double CpuPerRequest, double RequestsPerSecond, double P50Milliseconds, double P99Milliseconds, double Megabytes);
