"""Power laws (stand-in)."""
import numpy as np
from dataclasses import dataclass
from assay.valuation.scaling.laws import Predicted
@dataclass(frozen=True,eq=False)
class PowerLaws:
    c:object;alpha:object;sigma:object;beta:object;covariance:object=None
    def at(self,k):
        m=self.c[:,None]*np.asarray(k,float)[None]**-self.alpha[:,None]
        return Predicted(m,np.full(m.shape,np.nan))
    def over(self,a,b):
        m=np.zeros(len(self.c))
        for k in range(a,b+1): m+=self.c*float(k)**-self.alpha
        m/=b-a+1
        return Predicted(m,np.full(m.shape,np.nan))
