"""Resource types that moto's CloudFormation lacks, or makes with too little; importing them is enough.

moto picks up every direct subclass of `CloudFormationModel`; of two for one type the later one holds.
"""

from tests.account.types import api, function, logs, scaling, service, table

__all__ = ["api", "function", "logs", "scaling", "service", "table"]
